package io.kvorum.mvcc;

import java.io.IOException;
import java.nio.file.Path;

/** A file that the manifest names is missing or damaged. Nothing is cut or guessed: the member must be replaced. */
public final class StoreCorruptException extends IOException {
  private static final long serialVersionUID = 1L;

  public StoreCorruptException(Path file, String what) {
    super(file + ": " + what);
  }
}
