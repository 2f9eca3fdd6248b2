package io.kvorum.server.apply;

/** Levels of the log, peer and manifest formats. A cluster works at the lowest level among its members. */
public final class FeatureLevel {
  /** Highest level that this software understands. */
  public static final int SUPPORTED = 1;

  private FeatureLevel() {}
}
