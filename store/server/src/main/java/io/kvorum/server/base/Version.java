package io.kvorum.server.base;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The versions that are told to the outside. */
public final class Version {
  /** The etcd release whose behaviour is kept; what Status and /version answer. Strictly three integers, because clients take it apart. */
  public static final String ETCD = "3.6.16";

  /** Of a cluster whose members are all of this version. */
  public static final String CLUSTER = "3.6.0";

  /** Of the stored data, as Status answers it. */
  public static final String STORAGE = "3.6.0";

  private Version() {}

  /** Kvorum's own version, as the build wrote it. */
  public static String kvorum() {
    try (InputStream in = Version.class.getResourceAsStream("/io/kvorum/server/version.txt")) {
      return in == null ? "unknown" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }
}
