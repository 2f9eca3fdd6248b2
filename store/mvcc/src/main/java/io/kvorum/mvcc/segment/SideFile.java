package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * The mapped side file of a sealed segment: all that reading and the rebuilding of the index need, so that no value is touched and no map is opened.
 *
 * <p>Format 1, little endian. Header of {@link #HEADER_BYTES}: magic, format, flags (leases, dense), records, keys, first main, starts, payload bytes, chunks and entries of the map,
 * length of the map's file, offset and length of the keys. Then columns by position in revision order: leases (long, if flagged), main deltas, subs, offsets, lengths
 * (bit 31: tombstone), CRC-32C, and the starts (position of the first record at or above first main + index; absent where revisions are too sparse). Then
 * the keys in order: length, number of revisions, bytes, their positions ascending.
 */
final class SideFile implements OffsetTable {
  static final long MAGIC = 0x4b56534944450001L;
  static final int FORMAT = 1;
  static final int HEADER_BYTES = 96;
  static final int FLAG_LEASES = 1;

  /** Each main revision from the first on has one record: a position is a subtraction. */
  static final int FLAG_DENSE = 2;


  static final int AT_MAGIC = 0;
  static final int AT_FORMAT = 8;
  static final int AT_FLAGS = 12;
  static final int AT_COUNT = 16;
  static final int AT_KEYS = 20;
  static final int AT_FIRST_MAIN = 24;
  static final int AT_STARTS = 32;
  static final int AT_PAYLOAD = 40;
  static final int AT_CHUNKS = 48;
  static final int AT_ENTRIES = 56;
  static final int AT_MAP_BYTES = 64;
  static final int AT_KEYS_OFFSET = 72;
  static final int AT_KEYS_BYTES = 80;

  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment file;
  private final int count;
  private final long firstMain;
  private final int startCount;
  private final boolean leased;
  private final boolean dense;
  private final long mainsAt;
  private final long subsAt;
  private final long offsetsAt;
  private final long lengthsAt;
  private final long crcsAt;
  private final long startsAt;

  /**
   * @param file the mapping; its checksum was compared by the caller
   * @throws StoreCorruptException if the header contradicts the length
   */
  SideFile(MemorySegment file, Path path) throws IOException {
    if (file.byteSize() < HEADER_BYTES || file.get(LONG, AT_MAGIC) != MAGIC) {
      throw new StoreCorruptException(path, "not a side file");
    }
    if (file.get(INT, AT_FORMAT) > FORMAT) {
      throw new NewerFormatException(path, file.get(INT, AT_FORMAT), FORMAT);
    }
    this.file = file;
    this.count = file.get(INT, AT_COUNT);
    this.firstMain = file.get(LONG, AT_FIRST_MAIN);
    this.startCount = file.get(INT, AT_STARTS);
    this.leased = (file.get(INT, AT_FLAGS) & FLAG_LEASES) != 0;
    this.dense = (file.get(INT, AT_FLAGS) & FLAG_DENSE) != 0;
    this.mainsAt = HEADER_BYTES + (leased ? 8L * count : 0);
    this.subsAt = mainsAt + 4L * count;
    this.offsetsAt = subsAt + 4L * count;
    this.lengthsAt = offsetsAt + 4L * count;
    this.crcsAt = lengthsAt + 4L * count;
    this.startsAt = crcsAt + 4L * count;
    long keysAt = startsAt + 4L * startCount;
    if (count < 1 || startCount < 0 || file.get(LONG, AT_KEYS_OFFSET) != keysAt || keysAt + file.get(LONG, AT_KEYS_BYTES) != file.byteSize()) {
      throw new StoreCorruptException(path, "the header contradicts the length of the file");
    }
  }

  @Override
  public int positionOf(long main, int sub) {
    if (dense) {
      return sub == 0 && main >= firstMain && main - firstMain < count ? (int) (main - firstMain) : -1;
    }
    return OffsetTable.super.positionOf(main, sub);
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public long main(int position) {
    return firstMain + file.get(INT, mainsAt + 4L * position);
  }

  @Override
  public int sub(int position) {
    return file.get(INT, subsAt + 4L * position);
  }

  @Override
  public long offset(int position) {
    return Integer.toUnsignedLong(file.get(INT, offsetsAt + 4L * position));
  }

  @Override
  public int length(int position) {
    return file.get(INT, lengthsAt + 4L * position) & Integer.MAX_VALUE;
  }

  @Override
  public boolean tombstone(int position) {
    return file.get(INT, lengthsAt + 4L * position) < 0;
  }

  @Override
  public int crc(int position) {
    return file.get(INT, crcsAt + 4L * position);
  }

  @Override
  public long lease(int position) {
    return leased ? file.get(LONG, HEADER_BYTES + 8L * position) : 0;
  }

  @Override
  public int firstGuess(long main) {
    return startCount == 0 ? 0 : file.get(INT, startsAt + 4 * (main - firstMain));
  }

  /** Size that Chronicle's map was built with, for the reference path. */
  SegmentSize mapSize() {
    return new SegmentSize(file.get(LONG, AT_CHUNKS), file.get(LONG, AT_ENTRIES));
  }

  /** Length of Chronicle's file before its unused tail was cut off. */
  long mapBytes() {
    return file.get(LONG, AT_MAP_BYTES);
  }

  /** All keys in order, each with its positions ascending. */
  KeyCursor keys() {
    long end = file.get(LONG, AT_KEYS_OFFSET) + file.get(LONG, AT_KEYS_BYTES);
    return new KeyCursor() {
      private long next = file.get(LONG, AT_KEYS_OFFSET);
      private byte[] key;
      private int positions;
      private long positionsAt;

      @Override
      public boolean next() {
        if (next >= end) {
          return false;
        }
        key = new byte[file.get(INT, next)];
        positions = file.get(INT, next + 4);
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, next + 8, key, 0, key.length);
        positionsAt = next + 8 + key.length;
        next = positionsAt + 4L * positions;
        return true;
      }

      @Override
      public byte[] key() {
        return key;
      }

      @Override
      public int positions() {
        return positions;
      }

      @Override
      public int position(int index) {
        return file.get(INT, positionsAt + 4L * index);
      }
    };
  }
}
