package io.kvorum.server.tls;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/** After the chain has been verified: the common names or host names that alone are let in, whichever side shows them. */
final class AllowedTrust extends X509ExtendedTrustManager {
  private final X509ExtendedTrustManager chains;
  private final List<String> names;
  private final List<String> hosts;

  /**
   * @param chains verifies signatures, dates and purposes
   * @param names common names, none for any
   * @param hosts host names, none for any
   */
  AllowedTrust(X509ExtendedTrustManager chains, List<String> names, List<String> hosts) {
    this.chains = chains;
    this.names = names;
    this.hosts = hosts;
  }

  private void allow(X509Certificate leaf) throws CertificateException {
    SubjectNames shown = SubjectNames.of(leaf);
    boolean named = names.isEmpty() || names.contains(shown.commonName());
    boolean hosted = hosts.isEmpty() || hosts.stream().anyMatch(shown::matches);
    if (!named || !hosted) {
      throw new CertificateException("client certificate authentication failed");
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    chains.checkClientTrusted(chain, authType, engine);
    allow(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    chains.checkServerTrusted(chain, authType, engine);
    allow(chain[0]);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    chains.checkClientTrusted(chain, authType, socket);
    allow(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    chains.checkServerTrusted(chain, authType, socket);
    allow(chain[0]);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    chains.checkClientTrusted(chain, authType);
    allow(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    chains.checkServerTrusted(chain, authType);
    allow(chain[0]);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return chains.getAcceptedIssuers();
  }
}
