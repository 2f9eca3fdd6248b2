package io.kvorum.server.agent.copy;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The keys that begin with a prefix.
 *
 * @param from first key; one zero byte for the empty prefix
 * @param to exclusive end, null for none
 */
record Span(byte[] from, byte[] to) {
  private static final int LAST_BYTE = 0xff;

  static Span prefix(ByteString prefix) {
    byte[] from = prefix.isEmpty() ? new byte[1] : prefix.toByteArray();
    byte[] end = prefix.toByteArray();
    for (int i = end.length - 1; i >= 0; i--) {
      if ((end[i] & LAST_BYTE) != LAST_BYTE) {
        end[i]++;
        return new Span(from, Arrays.copyOf(end, i + 1));
      }
    }
    return new Span(from, null);
  }

  /** The spans of several prefixes in key order, without those that lie within another. */
  static List<Span> of(List<ByteString> prefixes) {
    List<Span> spans = new ArrayList<>();
    for (ByteString prefix : prefixes.stream().sorted(ByteString.unsignedLexicographicalComparator()).toList()) {
      Span span = prefix(prefix);
      if (spans.isEmpty() || !spans.getLast().contains(span.from)) {
        spans.add(span);
      }
    }
    return List.copyOf(spans);
  }

  boolean contains(byte[] key) {
    return Arrays.compareUnsigned(key, from) >= 0 && (to == null || Arrays.compareUnsigned(key, to) < 0);
  }

  /**
   * Whether a range lies within.
   *
   * @param end as in a range request: null or empty for the single key, one zero byte for no end
   */
  boolean covers(byte[] key, byte[] end) {
    if (!contains(key)) {
      return false;
    }
    if (end == null || end.length == 0 || to == null) {
      return true;
    }
    boolean open = end.length == 1 && end[0] == 0;
    return !open && Arrays.compareUnsigned(end, to) <= 0;
  }

  ByteString rangeKey() {
    return ByteString.copyFrom(from);
  }

  /** As a range request has it. */
  ByteString rangeEnd() {
    return to == null ? ByteString.copyFrom(new byte[1]) : ByteString.copyFrom(to);
  }
}
