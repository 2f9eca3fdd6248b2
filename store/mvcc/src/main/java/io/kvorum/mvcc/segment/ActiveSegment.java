package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * The segment that is being written: Chronicle's file for putting, our own read-only mapping of the same pages for reading at the offsets that the puts report. One
 * thread at a time appends; any thread reads what the table's count has published.
 */
final class ActiveSegment {
  private final ChronicleSegmentFile file;
  private final SegmentSize size;
  private final long number;
  private final long mapBytes;
  private final ActiveTable table = new ActiveTable();
  private final Segment segment;
  private final CRC32C crc = new CRC32C();
  private boolean mapOpen = true;

  private ActiveSegment(ChronicleSegmentFile file, SegmentSize size, long number, Consumer<Segment> onFree) throws IOException {
    this.file = file;
    this.size = size;
    this.number = number;
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.READ)) {
      this.mapBytes = channel.size();
      if (mapBytes == 0) {
        throw new IOException(file.path() + " was not given its length");
      }
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, mapBytes, arena);
      this.segment = new Segment(table, bytes, arena, null, onFree);
    }
  }

  /**
   * @param onFree called when nobody reads it any more
   * @throws NoSpaceException when the disk is full; no file is left
   */
  static ActiveSegment create(Path path, long number, SegmentSize size, Preallocation allocator, Consumer<Segment> onFree)
      throws IOException {
    ChronicleSegmentFile file = ChronicleSegmentFile.create(path, size, allocator);
    return new ActiveSegment(file, size, number, onFree);
  }

  boolean fits(int valueBytes, long main) {
    return file.fits(valueBytes) && table.spans(main);
  }

  void append(long main, int sub, byte[] encoded, int length, boolean tombstone, long lease) {
    long offset = file.put(main, sub, encoded, 0, length);
    crc.reset();
    crc.update(encoded, 0, length);
    table.add(main, sub, offset, length, tombstone, (int) crc.getValue(), lease);
  }

  Segment segment() {
    return segment;
  }

  ActiveTable table() {
    return table;
  }

  ChronicleSegmentFile file() {
    return file;
  }

  SegmentSize size() {
    return size;
  }

  long number() {
    return number;
  }

  long payloadBytes() {
    return table.payloadBytes();
  }

  /** Length of Chronicle's file. */
  long mapBytes() {
    return mapBytes;
  }

  /** Last byte in use: nothing of Chronicle's lies behind the last record. */
  long usedBytes() {
    int last = table.count() - 1;
    long end = 0;
    for (int i = 0; i <= last; i++) {
      end = Math.max(end, table.offset(i) + table.length(i));
    }
    return end;
  }

  /** Compares each record with what Chronicle's own look-up gives; nothing once the map is closed (a second try to seal). */
  void compareWithChronicle() {
    if (!mapOpen) {
      return;
    }
    for (int i = 0; i < table.count(); i++) {
      if (!file.holds(table.main(i), table.sub(i), segment.encoding(i))) {
        throw new IllegalStateException("Chronicle reads another record at revision " + table.main(i) + "." + table.sub(i));
      }
    }
  }

  /** No more puts. */
  void closeMap() {
    if (mapOpen) {
      mapOpen = false;
      file.close();
    }
  }
}
