package io.kvorum.server.migrate;

import java.io.IOException;

/** A file is not taken; the message says why. */
public final class RefusedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  public RefusedFileException(String message) {
    super(message);
  }
}
