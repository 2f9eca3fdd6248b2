package io.kvorum.server.backup;

import java.io.IOException;

/** A delta cannot go on behind the backup before it: entries in between are gone, or the log is another one. A full backup begins a new chain. */
public final class DeltaGapException extends IOException {
  private static final long serialVersionUID = 1L;

  /** How the message of the status (OUT_OF_RANGE) begins. */
  static final String PREFIX = "DeltaGap: ";

  public DeltaGapException(String message) {
    super(message);
  }
}
