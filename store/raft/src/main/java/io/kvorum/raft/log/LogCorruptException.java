package io.kvorum.raft.log;

import java.io.IOException;
import java.nio.file.Path;

/** Bytes that were durable are damaged or missing. Nothing is cut or repaired: the member must not start and is to be replaced. */
public final class LogCorruptException extends IOException {
  private static final long serialVersionUID = 1L;
  private final transient Path file;
  private final long offset;

  public LogCorruptException(Path file, long offset, String what) {
    super("the log is damaged: file " + file + ", offset " + offset + ": " + what);
    this.file = file;
    this.offset = offset;
  }

  /** The damaged or missing file. */
  public Path file() {
    return file;
  }

  /** Where in it, bytes from its beginning. */
  public long offset() {
    return offset;
  }
}
