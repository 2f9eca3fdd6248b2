package io.kvorum.mvcc.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Helpers on keys. Order is that of unsigned bytes, a prefix before its extensions. */
final class Bytes {
  static final byte[] EMPTY = new byte[0];
  private static final VarHandle BIG_ENDIAN = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private Bytes() {}

  /** The eight bytes from {@code offset} on as an unsigned number, zeros behind the end: ordered as the bytes are, ties apart. */
  static long head(byte[] key, int offset) {
    int left = key.length - offset;
    if (left >= Long.BYTES) {
      return (long) BIG_ENDIAN.get(key, offset);
    }
    long head = 0;
    for (int i = 0; i < left; i++) {
      head |= (key[offset + i] & 0xffL) << (56 - 8 * i);
    }
    return head;
  }

  /** Writes the first {@code length} (at most 8) bytes of a head. */
  static void writeHead(long head, byte[] out, int at, int length) {
    for (int i = 0; i < length; i++) {
      out[at + i] = (byte) (head >>> (56 - 8 * i));
    }
  }

  static int commonPrefix(byte[] a, byte[] b) {
    int limit = Math.min(a.length, b.length);
    int i = Arrays.mismatch(a, 0, limit, b, 0, limit);
    return i < 0 ? limit : i;
  }
}
