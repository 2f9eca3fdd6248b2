package io.kvorum.server.base;

/**
 * Generations of the entry, peer and manifest formats. A format of a level is written only once the cluster's level, which is the minimum over the
 * members, has reached it; so members of different versions run side by side.
 */
public final class FeatureLevel {
  /** What every cluster begins with. */
  public static final int FIRST = 1;

  /** From here on the log may hold a lease and its key in one entry. */
  public static final int PUT_WITH_LEASE = 2;

  /** Highest level that this software understands, as the build stamped it (-Dkvorum.featureLevel; higher than the default only to test rolls between builds). */
  public static final int SUPPORTED = Version.stamp().featureLevel();

  private FeatureLevel() {}
}
