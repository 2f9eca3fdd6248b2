package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Makes the engine's contexts from settings and what the files hold. A context never changes: another one is made when the files have. Put together from the runtime's parts,
 * not by Netty's builder, which encrypts a key store first to find out what the runtime can do.
 */
final class Contexts {
  static final String HTTP2 = "h2";
  static final String HTTP1 = "http/1.1";

  private static final String TRUST_STORE = "javax.net.ssl.trustStore";

  static {
    // Netty's class reads the runtime's authorities, some 150 certificates, when it is first used, and drops them again; a tenth of a second of a start.
    String known = System.getProperty(TRUST_STORE);
    System.setProperty(TRUST_STORE, "NONE");
    try {
      Class.forName(JdkSslContext.class.getName());
    } catch (ClassNotFoundException impossible) {
      throw new IllegalStateException(impossible);
    } finally {
      if (known == null) {
        System.clearProperty(TRUST_STORE);
      } else {
        System.setProperty(TRUST_STORE, known);
      }
    }
  }

  private Contexts() {}

  /**
   * For a port.
   *
   * @param protocols by preference
   */
  static SslContext server(TlsSettings settings, TlsMaterial material, List<String> protocols) throws TlsException {
    boolean verifies = settings.clientCertAuth() || !settings.trustedCaFile().isEmpty();
    return context(settings, false, new OwnKey(material.own()), verifies ? trust(settings, material) : null, protocols, verifies ? ClientAuth.REQUIRE : ClientAuth.NONE);
  }

  /** For connections to other members. With a made certificate on the other side there is nothing to verify, as in etcd. */
  static SslContext client(TlsSettings settings, TlsMaterial material) throws TlsException {
    OwnKey key = material.outgoing() == null ? null : new OwnKey(material.outgoing());
    TrustManager trust = settings.auto() ? InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0] : trust(settings, material);
    return context(settings, true, key, trust, List.of(HTTP2), ClientAuth.NONE);
  }

  /**
   * @param key null for none
   * @param trust null when the other side is not asked for a certificate
   */
  private static SslContext context(TlsSettings settings, boolean client, OwnKey key, TrustManager trust, List<String> protocols, ClientAuth clientAuth) throws TlsException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(key == null ? null : new KeyManager[] {key}, trust == null ? new TrustManager[0] : new TrustManager[] {trust}, null);
      List<String> suites = CipherSuites.of(settings.cipherSuites(), Set.of(context.getSupportedSSLParameters().getCipherSuites()));
      return new JdkSslContext(
          context, client, suites, IdentityCipherSuiteFilter.INSTANCE, alpn(protocols), clientAuth, versions(settings).toArray(String[]::new), false);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new TlsException("cannot set up TLS: " + e.getMessage(), e);
    }
  }

  private static List<String> versions(TlsSettings settings) {
    if (settings.minVersion().equals("TLS1.3")) {
      return List.of("TLSv1.3");
    }
    return settings.maxVersion().equals("TLS1.2") ? List.of("TLSv1.2") : List.of("TLSv1.3", "TLSv1.2");
  }

  private static ApplicationProtocolConfig alpn(List<String> protocols) {
    return new ApplicationProtocolConfig(
        ApplicationProtocolConfig.Protocol.ALPN, ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT, protocols);
  }

  private static TrustManager trust(TlsSettings settings, TlsMaterial material) throws TlsException {
    try {
      KeyStore anchors = null;
      if (!material.authorities().isEmpty()) {
        anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        int number = 0;
        for (X509Certificate authority : material.authorities()) {
          anchors.setCertificateEntry("ca" + number++, authority);
        }
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(anchors);
      X509ExtendedTrustManager chains = (X509ExtendedTrustManager) factory.getTrustManagers()[0];
      boolean any = settings.allowedNames().isEmpty() && settings.allowedHostnames().isEmpty();
      return any ? chains : new AllowedTrust(chains, settings.allowedNames(), settings.allowedHostnames());
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException("cannot use the trusted CA file " + settings.trustedCaFile() + ": " + e.getMessage(), e);
    }
  }
}
