package io.kvorum.server.cluster;

/**
 * Generations of the entry, peer and manifest formats. A format of a level is written only once the cluster's level, which is the minimum over the
 * members, has reached it; so members of different versions run side by side.
 */
public final class FeatureLevel {
  /** What every cluster begins with. */
  public static final int FIRST = 1;

  /** Highest level that this software understands. */
  public static final int SUPPORTED = 1;

  private FeatureLevel() {}
}
