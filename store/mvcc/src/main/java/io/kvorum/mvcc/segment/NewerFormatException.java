package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.nio.file.Path;

/** A file was written by a newer version than this one. Nothing is wrong with it. */
public final class NewerFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  NewerFormatException(Path file, int format, int newestKnown) {
    super(file + ": written by a newer version: format " + format + ", this one reads up to " + newestKnown);
  }
}
