package io.kvorum.mvcc.index;

import io.kvorum.mvcc.KeyValueCodec;
import java.util.Arrays;

/** Makes packed revision lists; the format stands at {@link RevisionCursor}. A list that would be longer than {@link #MAX_PACKED_BYTES} is spilled. */
final class RevisionList {
  /** Some thirty revisions; beyond it copying a leaf for each new revision would cost too much. */
  static final int MAX_PACKED_BYTES = 96;

  private static final int MAX_ONE = 15;

  private RevisionList() {}

  static byte[] single(long main, int sub, boolean tombstone) {
    byte[] out = new byte[MAX_ONE];
    return Arrays.copyOf(out, write(out, 0, main, sub, tombstone));
  }

  /** A new list with one newer revision in front. */
  static byte[] prepend(byte[] data, int from, int to, long main, int sub, boolean tombstone) {
    byte[] out = new byte[to - from + 2 * MAX_ONE];
    int at = write(out, 0, main, sub, tombstone);
    RevisionCursor newest = new RevisionCursor();
    newest.packed(data, from, to);
    newest.next();
    at = write(out, at, main - newest.main(), newest.sub(), newest.tombstone());
    int rest = to - newest.position();
    System.arraycopy(data, newest.position(), out, at, rest);
    return Arrays.copyOf(out, at + rest);
  }

  /** Packs revisions that stand oldest first. */
  static byte[] pack(History history) {
    byte[] out = new byte[history.size() * MAX_ONE];
    int at = 0;
    long newer = 0;
    for (int i = history.size() - 1; i >= 0; i--) {
      long main = history.main(i);
      at = write(out, at, i == history.size() - 1 ? main : newer - main, history.sub(i), history.tombstone(i));
      newer = main;
    }
    return Arrays.copyOf(out, at);
  }

  private static int write(byte[] out, int at, long number, int sub, boolean tombstone) {
    long word = number << 2 | (tombstone ? RevisionCursor.TOMBSTONE : 0) | (sub != 0 ? RevisionCursor.HAS_SUB : 0);
    int position = KeyValueCodec.writeVarint(out, at, word);
    return sub == 0 ? position : KeyValueCodec.writeVarint(out, position, sub);
  }
}
