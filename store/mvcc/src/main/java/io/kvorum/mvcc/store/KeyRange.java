package io.kvorum.mvcc.store;

import java.util.Arrays;

/**
 * The keys that a request's key and end mean.
 *
 * @param from first key
 * @param to exclusive end, null for none
 * @param single the one key {@code from} is meant
 */
record KeyRange(byte[] from, byte[] to, boolean single) {
  static KeyRange of(byte[] key, byte[] end) {
    if (end == null || end.length == 0) {
      return new KeyRange(key, Arrays.copyOf(key, key.length + 1), true);
    }
    return new KeyRange(key, end.length == 1 && end[0] == 0 ? null : end, false);
  }
}
