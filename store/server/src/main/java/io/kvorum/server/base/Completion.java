package io.kvorum.server.base;

/**
 * Receives the outcome of one request exactly once, on any thread (usually the raft thread, right after its batch was published). Must not block.
 *
 * @param <T> the answer, without its header's revision being changed by the receiver
 */
public interface Completion<T> {
  void done(T answer);

  /** Nobody wants to know. */
  static <T> Completion<T> ignored() {
    return new Completion<>() {
      @Override
      public void done(T answer) {
        // Nothing to do.
      }

      @Override
      public void failed(io.grpc.StatusRuntimeException reason) {
        // Nothing to do.
      }
    };
  }


  /** The request was refused or its outcome is unknown (the time-out family). */
  void failed(io.grpc.StatusRuntimeException reason);
}
