package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** Makes the engine's contexts from settings and what the files hold. A context never changes: another one is made when the files have. */
final class Contexts {
  static final String HTTP2 = "h2";
  static final String HTTP1 = "http/1.1";

  private Contexts() {}

  /**
   * For a port.
   *
   * @param protocols by preference
   */
  static SslContext server(TlsSettings settings, TlsMaterial material, List<String> protocols) throws TlsException {
    try {
      SslContextBuilder builder =
          SslContextBuilder.forServer(new OwnKey(material.own())).applicationProtocolConfig(alpn(protocols));
      if (settings.clientCertAuth() || !settings.trustedCaFile().isEmpty()) {
        builder.clientAuth(ClientAuth.REQUIRE).trustManager(trust(settings, material));
      }
      return common(builder, settings).build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("cannot set up TLS: " + e.getMessage(), e);
    }
  }

  /** For connections to other members. With a made certificate on the other side there is nothing to verify, as in etcd. */
  static SslContext client(TlsSettings settings, TlsMaterial material) throws TlsException {
    try {
      SslContextBuilder builder = SslContextBuilder.forClient().applicationProtocolConfig(alpn(List.of(HTTP2)));
      if (material.outgoing() != null) {
        builder.keyManager(new OwnKey(material.outgoing()));
      }
      if (settings.auto()) {
        builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
      } else {
        builder.trustManager(trust(settings, material));
      }
      return common(builder, settings).build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("cannot set up TLS: " + e.getMessage(), e);
    }
  }

  private static SslContextBuilder common(SslContextBuilder builder, TlsSettings settings) throws TlsException {
    List<String> suites = CipherSuites.of(settings.cipherSuites(), supportedSuites());
    return builder.sslProvider(SslProvider.JDK).ciphers(suites).protocols(versions(settings));
  }

  private static Set<String> supportedSuites() throws TlsException {
    try {
      return Set.of(SSLContext.getDefault().createSSLEngine().getSupportedCipherSuites());
    } catch (GeneralSecurityException e) {
      throw new TlsException("the runtime has no TLS: " + e.getMessage(), e);
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
