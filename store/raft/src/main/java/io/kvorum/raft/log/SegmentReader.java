package io.kvorum.raft.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Reads the records of one segment file through a sliding window. A cursor: the accessors speak of the record that {@link #read} found last. */
final class SegmentReader implements Closeable {
  private static final int FIRST_WINDOW_BYTES = 64 << 10;
  private static final int WINDOW_BYTES = 1 << 20;

  private final Path path;
  private final DiskFile file;
  private final long size;
  private final SegmentHeader header;
  private final int tag;
  private ByteBuffer window = ByteBuffer.allocate(FIRST_WINDOW_BYTES);
  private long windowStart;
  private int windowBytes;

  private RecordFormat.Type type;
  private int crc;
  private int previous;
  private int forced;
  private long next;
  private ByteBuffer payload;

  private SegmentReader(Path path, DiskFile file, SegmentHeader header) throws IOException {
    this.path = path;
    this.file = file;
    this.size = file.size();
    this.header = header;
    this.tag = header.tag();
  }

  /** Opens the file read-only and checks its header. */
  static SegmentReader open(Disk disk, Path path) throws IOException {
    DiskFile file = disk.open(path, false);
    try {
      ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
      file.read(bytes, 0);
      return new SegmentReader(path, file, SegmentHeader.decode(bytes.flip(), path));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  SegmentHeader header() {
    return header;
  }

  Path path() {
    return path;
  }

  /** Whether a whole, undamaged record of this use of the file begins at {@code offset}. Its place in the chain is for the caller to check. */
  boolean read(long offset) throws IOException {
    if (!load(offset, RecordFormat.HEADER_BYTES)) {
      return false;
    }
    int start = (int) (offset - windowStart);
    int length = RecordFormat.length(window, start);
    boolean ours = RecordFormat.tag(window, start) == tag && RecordFormat.type(window, start) != null;
    if (!ours || length < 0 || length > size - offset - RecordFormat.HEADER_BYTES) {
      return false;
    }
    if (!load(offset, RecordFormat.HEADER_BYTES + length)) {
      return false;
    }
    start = (int) (offset - windowStart);
    crc = RecordFormat.storedCrc(window, start);
    if (crc != RecordFormat.crc(window, start, length)) {
      return false;
    }
    type = RecordFormat.type(window, start);
    previous = RecordFormat.previous(window, start);
    forced = RecordFormat.forced(window, start);
    next = offset + RecordFormat.recordBytes(length);
    payload = window.slice(start + RecordFormat.HEADER_BYTES, length);
    return true;
  }

  RecordFormat.Type type() {
    return type;
  }

  int crc() {
    return crc;
  }

  int previous() {
    return previous;
  }

  /** Offset behind the record. */
  long next() {
    return next;
  }

  /** The record's content; valid until the next {@link #read}. */
  ByteBuffer payload() {
    return payload;
  }

  /** What lies behind a record that cannot be read. */
  record Rest(boolean provesDurable, long staleEnd) {}

  /**
   * Looks behind the unreadable record at {@code bad} for later ones. Any that was written when the file was already durable beyond {@code bad}
   * proves that the bad record is damage and not
   * a write that a crash tore. Otherwise {@code staleEnd} is where the last remains of the torn write end ({@code bad} if there are none).
   */
  Rest lookBehind(long bad) throws IOException {
    long staleEnd = bad;
    for (long at = bad; load(at, RecordFormat.HEADER_BYTES); at += 8) {
      int start = (int) (at - windowStart);
      if (RecordFormat.tag(window, start) != tag) {
        continue;
      }
      staleEnd = Math.max(staleEnd, at + RecordFormat.HEADER_BYTES);
      if (at > bad && RecordFormat.forced(window, start) > bad && read(at)) {
        return new Rest(true, staleEnd);
      }
    }
    return new Rest(false, staleEnd);
  }

  private boolean load(long offset, int bytes) throws IOException {
    if (offset >= windowStart && offset + bytes <= windowStart + windowBytes) {
      return true;
    }
    if (offset + bytes > size) {
      return false;
    }
    if (window.capacity() < Math.max(bytes, WINDOW_BYTES) && windowBytes > 0) {
      // A long scan: fewer and larger reads from here on.
      window = ByteBuffer.allocate(Math.max(bytes, Math.min(WINDOW_BYTES, window.capacity() * 4)));
    } else if (window.capacity() < bytes) {
      window = ByteBuffer.allocate(bytes);
    }
    window.clear();
    windowStart = offset;
    windowBytes = file.read(window, offset);
    return windowBytes >= bytes;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
