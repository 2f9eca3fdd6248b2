package io.kvorum.server.mirror;

/** The destination can no longer be made equal to the source by going on: something in between is gone. */
final class GapException extends Exception {
  private static final long serialVersionUID = 1L;

  GapException(String message) {
    super(message);
  }
}
