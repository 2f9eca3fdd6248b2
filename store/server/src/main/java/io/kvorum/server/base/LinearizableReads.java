package io.kvorum.server.base;

/** Waits until this member has applied and published everything that was acknowledged anywhere before the call. */
public interface LinearizableReads {
  /** Completes with null when the newest view may be read; fails with LEADER_CHANGED, TIMED_OUT (7 s by default) or SERVER_STOPPED. */
  void await(Completion<Void> completion);
}
