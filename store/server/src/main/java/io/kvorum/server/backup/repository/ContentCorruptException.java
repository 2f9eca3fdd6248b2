package io.kvorum.server.backup.repository;

import java.io.Serial;

/** An object of a repository is not what was written: cut off, altered, or another one's. */
public final class ContentCorruptException extends BackupException {
  @Serial private static final long serialVersionUID = 1;

  private final String object;
  private final String why;

  /**
   * @param object the object's name in the store, for example {@code segments/0a1b…}
   * @param why what is wrong with it
   */
  public ContentCorruptException(String object, String why) {
    super(Reason.CONTENT_CORRUPT, object + ": " + why);
    this.object = object;
    this.why = why;
  }

  public String object() {
    return object;
  }

  /** The message without the object. */
  public String why() {
    return why;
  }
}
