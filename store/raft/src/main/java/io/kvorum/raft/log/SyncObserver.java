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
}
