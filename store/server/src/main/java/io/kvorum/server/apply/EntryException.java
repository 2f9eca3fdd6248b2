package io.kvorum.server.apply;

/**
 * A committed entry that this member cannot apply: its bytes are no request, or its kind or feature level is newer than this software. The member must stop:
 * skipping the entry would make its state differ from the others'.
 */
public final class EntryException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final long index;

  public EntryException(long index, String what) {
    super("entry " + index + ": " + what);
    this.index = index;
  }

  public EntryException(long index, String what, Throwable cause) {
    super("entry " + index + ": " + what, cause);
    this.index = index;
  }

  /** Position in the log. */
  public long index() {
    return index;
  }
}
