package io.kvorum.bbolt;

import java.io.IOException;

/** The bytes are not a sound bbolt file. The message says what is wrong and on which page. */
public final class BoltFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  public BoltFormatException(String message) {
    super(message);
  }
}
