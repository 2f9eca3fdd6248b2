package io.kvorum.raft.node;

/** The member applied its own removal from the cluster: it has stopped and must not come back under this id. */
public final class RemovedException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final long memberId;

  public RemovedException(long memberId) {
    super("member " + Long.toUnsignedString(memberId, 16) + " was removed from the cluster");
    this.memberId = memberId;
  }

  public long memberId() {
    return memberId;
  }
}
