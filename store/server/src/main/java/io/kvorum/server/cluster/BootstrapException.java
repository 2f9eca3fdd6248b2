package io.kvorum.server.cluster;

/** A member cannot found or join its cluster. The message is for the user; the process ends with exit code 1. */
public final class BootstrapException extends Exception {
  private static final long serialVersionUID = 1L;

  public BootstrapException(String message) {
    super(message);
  }
}
