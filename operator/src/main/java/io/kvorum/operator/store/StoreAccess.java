package io.kvorum.operator.store;

import java.util.Optional;

/**
 * How the operator shows itself to a store.
 *
 * @param tls empty when the client port speaks plain text
 * @param login empty while authentication is off
 */
public record StoreAccess(Optional<Tls> tls, Optional<Login> login) {

  /** Plain text, nobody in particular. */
  public static final StoreAccess PLAIN = new StoreAccess(Optional.empty(), Optional.empty());

  /**
   * TLS files as PEM texts.
   *
   * @param trusted the authorities that members' certificates come from
   * @param certificate own chain, empty without client authentication
   * @param key PKCS#8 key of the own certificate, empty without one
   */
  public record Tls(String trusted, String certificate, String key) {
    @Override
    public String toString() {
      return "Tls[certificate=" + !certificate.isEmpty() + "]";
    }
  }

  /** A user and its password; the password is in no text form of this record. */
  public record Login(String user, String password) {
    @Override
    public String toString() {
      return "Login[user=" + user + "]";
    }
  }
}
