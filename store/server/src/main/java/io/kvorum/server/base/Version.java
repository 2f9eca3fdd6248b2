package io.kvorum.server.base;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The versions that are told to the outside. */
public final class Version {
  /** The etcd release whose behaviour is kept; what Status and /version answer. Strictly three integers, because clients take it apart. */
  public static final String ETCD = "3.6.16";

  /** Of a cluster whose members are all of this version. */
  public static final String CLUSTER = "3.6.0";

  /** Of the stored data, as Status answers it. */
  public static final String STORAGE = "3.6.0";

  private static final String RESOURCE = "/io/kvorum/server/version.txt";

  private Version() {}

  /**
   * What the build wrote into this software.
   *
   * @param version Kvorum's own version
   * @param featureLevel highest feature level that it understands, from 1
   */
  record Stamp(String version, int featureLevel) {
    /** Of the resource's two lines: version, feature level. */
    static Stamp of(List<String> lines) {
      return new Stamp(lines.get(0).strip(), Integer.parseInt(lines.get(1).strip()));
    }
  }

  /** Kvorum's own version, as the build wrote it. */
  public static String kvorum() {
    return stamp().version();
  }

  static Stamp stamp() {
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      return Stamp.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(RESOURCE + " cannot be read", e);
    }
  }
}
