package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import java.util.Comparator;

/**
 * The keys that are mirrored.
 *
 * @param from first one
 * @param to as in a range request; one zero byte: no end
 */
record Span(ByteString from, ByteString to) {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);
  private static final Comparator<ByteString> ORDER = ByteString.unsignedLexicographicalComparator();
  private static final int LAST_BYTE = 0xff;

  /** All keys that begin so; all keys for the empty text. */
  static Span prefix(String prefix) {
    ByteString from = ByteString.copyFromUtf8(prefix);
    if (from.isEmpty()) {
      return new Span(ZERO, ZERO);
    }
    byte[] end = from.toByteArray();
    for (int i = end.length - 1; i >= 0; i--) {
      if ((end[i] & LAST_BYTE) != LAST_BYTE) {
        end[i]++;
        return new Span(from, ByteString.copyFrom(end, 0, i + 1));
      }
    }
    return new Span(from, ZERO);
  }

  boolean contains(ByteString key) {
    return ORDER.compare(key, from) >= 0 && (to.equals(ZERO) || ORDER.compare(key, to) < 0);
  }

  /** The smallest key behind one. */
  static ByteString after(ByteString key) {
    return key.concat(ZERO);
  }
}
