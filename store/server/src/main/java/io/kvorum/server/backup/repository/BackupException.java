package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.io.Serial;

/** A backup, restore or verification cannot go on, for one of a closed set of reasons. The message is for people and never holds a secret. */
public class BackupException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  private final Reason reason;

  public BackupException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public BackupException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public final Reason reason() {
    return reason;
  }

  /** Why. The words are those of a command's result. */
  public enum Reason {
    /** What was committed since the previous backup is no longer to be had, or the chain of hashes does not fit: only a full backup helps. */
    DELTA_GAP("DeltaGap"),
    SOURCE_UNAVAILABLE("SourceUnavailable"),
    /** The place of the backups cannot be reached, refuses the credentials, or fails. */
    DESTINATION_UNAVAILABLE("DestinationUnavailable"),
    /** The encryption key is not the one of the repository, is missing, or is given for a repository without encryption. */
    WRONG_KEY("WrongKey"),
    /** An object is not what was written. */
    CONTENT_CORRUPT("ContentCorrupt"),
    /** What was restored is not what the member had. */
    HASH_MISMATCH("HashMismatch"),
    NOT_FOUND("NotFound"),
    /** Another backup depends on it, or the name is taken. */
    IN_USE("InUse"),
    FAILED("Failed");

    private final String word;

    Reason(String word) {
      this.word = word;
    }

    /** As it stands in the field {@code reason} of a result. */
    public String word() {
      return word;
    }
  }
}
