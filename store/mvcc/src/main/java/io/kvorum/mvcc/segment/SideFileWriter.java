package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;

/** Writes the format that {@link SideFile} describes. */
final class SideFileWriter {
  /**
   * @param bytes length of the file
   * @param crc CRC-32C of the file
   */
  record Written(long bytes, int crc) {}

  private final OffsetTable table;
  private final int count;
  private final KeyOrder order;

  SideFileWriter(OffsetTable table, MemorySegment bytes) {
    this.table = table;
    this.count = table.count();
    this.order = new KeyOrder(table, bytes);
  }

  /** Writes and forces. */
  Written write(Path path, SegmentSize mapSize, long mapBytes) throws IOException {
    try (ForcedOutput out = new ForcedOutput(path)) {
      boolean leased = anyLease();
      int starts = startCount();
      header(out, leased, starts, mapSize, mapBytes);
      if (leased) {
        longs(out, table::lease);
      }
      long first = table.main(0);
      ints(out, i -> (int) (table.main(i) - first));
      ints(out, table::sub);
      ints(out, i -> (int) table.offset(i));
      ints(out, i -> table.length(i) | (table.tombstone(i) ? 1 << 31 : 0));
      ints(out, table::crc);
      starts(out, starts);
      keys(out);
      out.force();
      return new Written(out.written(), out.crc());
    } catch (IOException e) {
      throw NoSpaceException.from(e);
    }
  }

  private void header(ForcedOutput out, boolean leased, int starts, SegmentSize mapSize, long mapBytes) throws IOException {
    int keys = 0;
    long keyBytes = 0;
    for (int i = 0; i < count; i++) {
      if (i == 0 || !order.sameKey(order.position(i - 1), order.position(i))) {
        keys++;
        keyBytes += 8 + order.keyLength(order.position(i));
      }
      keyBytes += 4;
    }
    out.putLong(SideFile.MAGIC);
    out.putInt(SideFile.FORMAT);
    out.putInt((leased ? SideFile.FLAG_LEASES : 0) | (dense() ? SideFile.FLAG_DENSE : 0));
    out.putInt(count);
    out.putInt(keys);
    out.putLong(table.main(0));
    out.putLong(starts);
    out.putLong(payloadBytes(table));
    out.putLong(mapSize.chunks());
    out.putLong(mapSize.entries());
    out.putLong(mapBytes);
    out.putLong(SideFile.HEADER_BYTES + (leased ? 8L * count : 0) + 20L * count + 4L * starts);
    out.putLong(keyBytes);
    while (out.written() < SideFile.HEADER_BYTES) {
      out.putInt(0);
    }
  }

  static long payloadBytes(OffsetTable table) {
    long sum = 0;
    for (int i = 0; i < table.count(); i++) {
      sum += table.length(i);
    }
    return sum;
  }

  private boolean dense() {
    for (int i = 0; i < count; i++) {
      if (table.main(i) != table.main(0) + i || table.sub(i) != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean anyLease() {
    for (int i = 0; i < count; i++) {
      if (table.lease(i) != 0) {
        return true;
      }
    }
    return false;
  }

  private int startCount() {
    long mains = table.main(count - 1) - table.main(0) + 1;
    return mains <= 4L * count + ActiveTable.GAP_MAX ? (int) mains : 0;
  }

  private void starts(ForcedOutput out, int starts) throws IOException {
    long first = table.main(0);
    for (int i = 0, position = 0; i < starts; i++) {
      while (table.main(position) < first + i) {
        position++;
      }
      out.putInt(position);
    }
  }

  private void keys(ForcedOutput out) throws IOException {
    byte[] key = new byte[256];
    for (int from = 0; from < count; ) {
      int position = order.position(from);
      int to = from + 1;
      while (to < count && order.sameKey(position, order.position(to))) {
        to++;
      }
      int length = order.keyLength(position);
      if (length > key.length) {
        key = new byte[length];
      }
      order.copyKey(position, key);
      out.putInt(length);
      out.putInt(to - from);
      out.put(key, length);
      for (; from < to; from++) {
        out.putInt(order.position(from));
      }
    }
  }

  private void ints(ForcedOutput out, IntUnaryOperator column) throws IOException {
    for (int i = 0; i < count; i++) {
      out.putInt(column.applyAsInt(i));
    }
  }

  private void longs(ForcedOutput out, IntToLongFunction column) throws IOException {
    for (int i = 0; i < count; i++) {
      out.putLong(column.applyAsLong(i));
    }
  }
}
