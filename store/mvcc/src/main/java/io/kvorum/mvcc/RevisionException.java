package io.kvorum.mvcc;

/** The asked revision cannot be served. */
public abstract sealed class RevisionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private RevisionException(String message) {
    super(message, null, false, false);
  }

  /** The revision is below the compacted floor. */
  public static final class Compacted extends RevisionException {
    private static final long serialVersionUID = 1L;

    /** The floor: reads at it and above are possible. */
    public final transient long compactRevision;

    public Compacted(long compactRevision) {
      super("required revision has been compacted");
      this.compactRevision = compactRevision;
    }
  }

  /** The revision does not exist yet. */
  public static final class Future extends RevisionException {
    private static final long serialVersionUID = 1L;

    public Future() {
      super("required revision is a future revision");
    }
  }
}
