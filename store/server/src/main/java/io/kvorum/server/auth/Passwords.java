package io.kvorum.server.auth;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import com.google.protobuf.ByteString;
import io.kvorum.server.base.EtcdError;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;

/** Bcrypt, in the form that etcd writes. Takes a large part of a second at higher costs: never on a thread that others wait for. */
final class Passwords {
  static final int BYTES_MAX = 72;

  private final BCrypt.Hasher hasher = BCrypt.with(BCrypt.Version.VERSION_2A, new SecureRandom(), LongPasswordStrategies.none());
  private final BCrypt.Verifyer verifier = BCrypt.verifyer(BCrypt.Version.VERSION_2A, LongPasswordStrategies.none());
  private final int cost;

  /** @param cost 4 to 31; each step doubles the time */
  Passwords(int cost) {
    this.cost = cost;
  }

  /** The hash in base64, as requests carry it. Throws PASSWORD_TOO_LONG. */
  String hash(String password) {
    byte[] bytes = password.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > BYTES_MAX) {
      throw EtcdError.PASSWORD_TOO_LONG.exception();
    }
    return Base64.getEncoder().encodeToString(hasher.hash(cost, bytes));
  }

  /** The hash itself with a salt that was chosen, so that everybody who makes it makes the same. */
  byte[] hash(String password, byte[] salt) {
    return hasher.hash(cost, salt, password.getBytes(StandardCharsets.UTF_8));
  }

  /** Nothing matches what is no hash. */
  boolean matches(ByteString hash, String password) {
    return !hash.isEmpty() && verifier.verify(password.getBytes(StandardCharsets.UTF_8), hash.toByteArray()).verified;
  }
}
