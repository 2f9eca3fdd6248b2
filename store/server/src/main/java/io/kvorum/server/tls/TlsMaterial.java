package io.kvorum.server.tls;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.util.List;

/**
 * What the files of one side hold at one moment.
 *
 * @param own certificate and key of the server, null when there is none
 * @param outgoing those for connections that are opened from here, null for none
 * @param authorities who may sign certificates of others; empty for the runtime's
 * @param revocations certificates that are refused
 */
public record TlsMaterial(Identity own, Identity outgoing, List<X509Certificate> authorities, List<X509CRL> revocations) {
  /**
   * A certificate with its key.
   *
   * @param chain own certificate first
   * @param key private
   */
  public record Identity(List<X509Certificate> chain, PrivateKey key) {
    private static final byte[] PROBE = {1, 2, 3, 4};

    /** Never the key. */
    @Override
    public String toString() {
      return chain.getFirst().getSubjectX500Principal().getName();
    }

    /** Refuses a key that belongs to another certificate, so that it is found before the first handshake. */
    Identity checked(String keyFile) throws TlsException {
      PublicKey shown = chain.getFirst().getPublicKey();
      try {
        if (key instanceof RSAPrivateKey own && shown instanceof RSAPublicKey open ? own.getModulus().equals(open.getModulus()) : signs(shown)) {
          return this;
        }
      } catch (GeneralSecurityException e) {
        // Keys of different kinds; the refusal says it.
      }
      throw new TlsException(keyFile + ": tls: private key does not match public key");
    }

    /** Not for RSA, whose signature takes a cold start a tenth of a second. */
    private boolean signs(PublicKey shown) throws GeneralSecurityException {
      Signature signature = Signature.getInstance(key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : key.getAlgorithm());
      signature.initSign(key);
      signature.update(PROBE);
      byte[] signed = signature.sign();
      signature.initVerify(shown);
      signature.update(PROBE);
      return signature.verify(signed);
    }
  }

  /** The leaf that this server shows, null when it has none. */
  public X509Certificate certificate() {
    return own == null ? null : own.chain().getFirst();
  }
}
