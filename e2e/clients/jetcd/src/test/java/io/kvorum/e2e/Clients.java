package io.kvorum.e2e;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import java.io.File;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLException;

/**
 * Clients as the system properties say: {@code endpoints}; {@code tls}, a directory with {@code ca.crt}, {@code client.crt} and {@code client.key} (PKCS #8), empty for
 * none; {@code password} of the user root, empty while permissions are off.
 */
final class Clients {
  private Clients() {}

  static String[] endpoints() {
    return System.getProperty("endpoints").split(",");
  }

  /** Whether the cluster asks for users. */
  static boolean secured() {
    return !System.getProperty("password", "").isEmpty();
  }

  static Client any() {
    return secured() ? of("root", System.getProperty("password"), endpoints()) : build(Client.builder().endpoints(endpoints()));
  }

  /** Of one member. */
  static Client at(String endpoint) {
    return secured() ? of("root", System.getProperty("password"), endpoint) : build(Client.builder().endpoints(endpoint));
  }

  static Client of(String user, String password, String... endpoints) {
    return build(Client.builder().endpoints(endpoints).user(bytes(user)).password(bytes(password)));
  }

  private static Client build(ClientBuilder builder) {
    String tls = System.getProperty("tls", "");
    if (!tls.isEmpty()) {
      try {
        builder.sslContext(ssl -> ssl.trustManager(new File(tls, "ca.crt")).keyManager(new File(tls, "client.crt"), new File(tls, "client.key")));
      } catch (SSLException e) {
        throw new IllegalStateException(e);
      }
    }
    return builder.build();
  }

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }
}
