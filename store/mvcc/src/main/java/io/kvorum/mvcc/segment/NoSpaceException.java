package io.kvorum.mvcc.segment;

import java.io.IOException;

/** The disk is full. Nothing was lost: the same call succeeds once there is space again. */
public final class NoSpaceException extends IOException {
  private static final long serialVersionUID = 1L;

  NoSpaceException(String message) {
    super(message);
  }

  /** The same failure, as a NoSpaceException if the system's message says so (Java gives no code). */
  static IOException from(IOException e) {
    String message = e.getMessage();
    boolean full = message != null && (message.contains("No space left") || message.contains("Disk quota exceeded"));
    if (!full || e instanceof NoSpaceException) {
      return e;
    }
    NoSpaceException typed = new NoSpaceException(message);
    typed.initCause(e);
    return typed;
  }
}
