package io.kvorum.server.kv;

import com.google.protobuf.ByteString;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/** A set of keys given by ranges; knows whether a key lies in any of them. Ranges that touch are kept as one. */
final class KeyCover {
  private static final Comparator<ByteString> ORDER = ByteString.unsignedLexicographicalComparator();
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);

  private final TreeMap<ByteString, ByteString> endByBegin = new TreeMap<>(ORDER);

  /** Adds one key. */
  void addKey(ByteString key) {
    addRange(key, key.concat(ZERO));
  }

  /** Adds {@code [begin, end)}; nothing when the end is at or below the begin, be it a zero byte that stands for "no end". */
  void addRange(ByteString begin, ByteString end) {
    if (ORDER.compare(begin, end) >= 0) {
      return;
    }
    ByteString from = begin;
    ByteString to = end;
    Map.Entry<ByteString, ByteString> touched = endByBegin.floorEntry(to);
    while (touched != null && ORDER.compare(touched.getValue(), from) >= 0) {
      from = min(from, touched.getKey());
      to = max(to, touched.getValue());
      endByBegin.remove(touched.getKey());
      touched = endByBegin.floorEntry(to);
    }
    endByBegin.put(from, to);
  }

  void addAll(KeyCover other) {
    other.endByBegin.forEach(this::addRange);
  }

  boolean contains(ByteString key) {
    Map.Entry<ByteString, ByteString> range = endByBegin.floorEntry(key);
    return range != null && ORDER.compare(key, range.getValue()) < 0;
  }

  private static ByteString min(ByteString a, ByteString b) {
    return ORDER.compare(a, b) <= 0 ? a : b;
  }

  private static ByteString max(ByteString a, ByteString b) {
    return ORDER.compare(a, b) >= 0 ? a : b;
  }
}
