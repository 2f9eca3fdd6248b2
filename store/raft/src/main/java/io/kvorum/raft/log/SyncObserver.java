package io.kvorum.raft.log;

/** Told of every write that the log made durable, on the thread that wrote; must not block. */
@FunctionalInterface
public interface SyncObserver {
  SyncObserver NONE = (bytes, nanos) -> {};

  /**
   * @param bytes written since the force before
   * @param nanos how long the force took
   */
  void synced(long bytes, long nanos);

  /**
   * A write was handed to the operating system, not forced yet.
   *
   * @param nanos how long that took
   */
  default void written(long nanos) {}
}
