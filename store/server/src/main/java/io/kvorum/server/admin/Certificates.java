package io.kvorum.server.admin;

import io.kvorum.protocol.v1.Certificate;
import io.kvorum.protocol.v1.Certificate.Role;
import io.kvorum.server.tls.TlsException;
import io.kvorum.server.tls.TlsFiles;
import io.kvorum.server.tls.TlsMaterial;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a member's TLS files hold. Any thread; asking looks at the files. */
public final class Certificates {
  private final TlsFiles client;
  private final TlsFiles peer;
  private TlsMaterial takenOfClient;
  private TlsMaterial takenOfPeer;

  /**
   * @param client null when no port for clients uses TLS
   * @param peer perhaps without any file
   */
  public Certificates(TlsFiles client, TlsFiles peer) {
    this.client = client;
    this.peer = peer;
    this.takenOfClient = client == null ? null : client.look();
    this.takenOfPeer = peer.look();
  }

  /** Every certificate that new connections are secured with now, by role, in the order of its file. */
  public List<Certificate> list() {
    List<Certificate> found = new ArrayList<>();
    if (client != null) {
      TlsMaterial material = client.look();
      add(found, Role.CLIENT, chain(material.own()));
      add(found, Role.CLIENT_CA, material.authorities());
    }
    TlsMaterial material = peer.look();
    add(found, Role.PEER, chain(material.own()));
    add(found, Role.PEER_CA, material.authorities());
    if (material.outgoing() != material.own()) {
      add(found, Role.PEER_OUTGOING, chain(material.outgoing()));
    }
    return found;
  }

  /**
   * Reads every file as a start would, without taking any.
   *
   * @return null when all can be used, else the reason that would refuse a start
   */
  String refusal() {
    try {
      if (client != null) {
        client.verify();
      }
      peer.verify();
      return null;
    } catch (TlsException e) {
      return e.getMessage();
    }
  }

  /** Takes every file, however unchanged it looks. Returns whether any holds something else than at the call before, or at the start. */
  synchronized boolean take() {
    TlsMaterial ofClient = client == null ? null : client.lookCloser();
    TlsMaterial ofPeer = peer.lookCloser();
    boolean changed = ofClient != takenOfClient || ofPeer != takenOfPeer;
    takenOfClient = ofClient;
    takenOfPeer = ofPeer;
    return changed;
  }

  private static List<X509Certificate> chain(TlsMaterial.Identity identity) {
    return identity == null ? List.of() : identity.chain();
  }

  private static void add(List<Certificate> to, Role role, List<X509Certificate> certificates) {
    for (int i = 0; i < certificates.size(); i++) {
      X509Certificate certificate = certificates.get(i);
      to.add(
          Certificate.newBuilder()
              .setRole(role)
              .setPosition(i)
              .setSubject(certificate.getSubjectX500Principal().getName())
              .setIssuer(certificate.getIssuerX500Principal().getName())
              .setSha256(fingerprint(certificate))
              .setNotBefore(TimeUnit.MILLISECONDS.toSeconds(certificate.getNotBefore().getTime()))
              .setNotAfter(TimeUnit.MILLISECONDS.toSeconds(certificate.getNotAfter().getTime()))
              .build());
    }
  }

  private static String fingerprint(X509Certificate certificate) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
    } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
      throw new IllegalStateException("a certificate that was read has an encoded form", e);
    }
  }
}
