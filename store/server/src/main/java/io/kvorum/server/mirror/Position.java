package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import java.util.HexFormat;

/**
 * How far a mirror is, as it stands in the destination: written in the same transaction as the changes that it stands for, so that both are there or neither.
 *
 * @param source id of the cluster that is followed
 * @param copying whether the first copy is still under way
 * @param revision the source's revision that is copied, or up to which its changes were made
 * @param next of a copy, the key that comes next; else empty
 * @param step counts transactions, so that no two positions are alike
 */
record Position(long source, boolean copying, long revision, ByteString next, long step) {
  private static final String FORMAT = "1";
  private static final int FIELDS = 6;
  private static final int HEX = 16;

  static Position copy(long source, long revision, ByteString first) {
    return new Position(source, true, revision, first, 0);
  }

  static Position following(long source, long revision) {
    return new Position(source, false, revision, ByteString.EMPTY, 0);
  }

  Position copiedUpTo(ByteString key) {
    return new Position(source, true, revision, key, step + 1);
  }

  Position at(long newRevision) {
    return new Position(source, false, newRevision, ByteString.EMPTY, step + 1);
  }

  /** Whether a key of the mirrored range, as it was at {@link #revision}, is in the destination. */
  boolean has(ByteString key) {
    return !copying || ByteString.unsignedLexicographicalComparator().compare(key, next) < 0;
  }

  ByteString encode() {
    String phase = copying ? "copying" : "following";
    String text = String.join(" ", FORMAT, Long.toHexString(source), phase, Long.toString(revision), Long.toString(step), HexFormat.of().formatHex(next.toByteArray()) + ".");
    return ByteString.copyFromUtf8(text);
  }

  /** @throws IllegalArgumentException when these are not the words of a mirror */
  static Position decode(ByteString value) {
    String[] fields = value.toStringUtf8().split(" ");
    if (fields.length != FIELDS || !fields[0].equals(FORMAT) || !fields[FIELDS - 1].endsWith(".")) {
      throw new IllegalArgumentException("\"" + value.toStringUtf8() + "\" is not a mirror's position");
    }
    String next = fields[FIELDS - 1].substring(0, fields[FIELDS - 1].length() - 1);
    return new Position(
        Long.parseUnsignedLong(fields[1], HEX), fields[2].equals("copying"), Long.parseLong(fields[3]), ByteString.copyFrom(HexFormat.of().parseHex(next)),
        Long.parseLong(fields[4]));
  }
}
