package io.kvorum.raft;

import java.nio.ByteBuffer;

/**
 * One single-server change of the membership (Raft thesis, section 4.1).
 *
 * @param kind what happens
 * @param memberId to whom
 * @param context opaque to consensus: what the server keeps about the member (URLs, name, id of the request)
 */
public record MembershipChange(Kind kind, long memberId, byte[] context) {
  /** The ordinals are part of the log format. */
  public enum Kind {
    ADD_VOTER,
    ADD_LEARNER,
    /** A learner becomes a voter, in one entry. */
    PROMOTE,
    REMOVE,
    /** Only the context changes (peer URLs). */
    UPDATE
  }

  private static final int HEADER_BYTES = 1 + 8;

  /** One byte of kind, eight bytes of id (big-endian), then the context. */
  public byte[] encode() {
    return ByteBuffer.allocate(HEADER_BYTES + context.length).put((byte) kind.ordinal()).putLong(memberId).put(context).array();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IllegalArgumentException if the bytes are not a change
   */
  public static MembershipChange decode(byte[] data) {
    if (data.length < HEADER_BYTES || data[0] < 0 || data[0] >= Kind.values().length) {
      throw new IllegalArgumentException("not a membership change: " + data.length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(data);
    Kind kind = Kind.values()[in.get()];
    long id = in.getLong();
    byte[] context = new byte[in.remaining()];
    in.get(context);
    return new MembershipChange(kind, id, context);
  }
}
