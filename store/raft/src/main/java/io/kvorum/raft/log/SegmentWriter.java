package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.HardState;
import io.kvorum.raft.log.DiskIndex.Segment;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes records to the current segment file and goes on to the next one. Used by one thread at a time.
 *
 * <p>To go on to the next file: 1. force the current one; 2. write the header into the prepared file and force it; 3. give it its name and force the
 * directory; 4. mark the end of the old file.
 * A crash before 3 leaves the old file as the last one, with all its records; after it, the header says where the old file's records end. So a file
 * that has a successor is durable as a whole
 * and any damage in it is damage, and an end mark without a successor means that a file is missing.
 */
final class SegmentWriter implements Closeable {
  /** Told where records of entries went. */
  interface Listener {
    void wrote(Segment segment, long offset, long firstIndex);

    void rolled(Segment segment);
  }

  /** Where the writing goes on. */
  record Position(Segment segment, DiskFile file, int fileBytes, long offset, int chain, HardState state, long lastIndex, long lastTerm) {}

  private static final int RECORD_BYTES_MAX = 1 << 20;
  private static final int BUFFER_BYTES_MIN = 64 << 10;
  private static final int END_BYTES = RecordFormat.recordBytes(0);

  private final Path directory;
  private final LogOptions options;
  private final FailPoint failPoint;
  private final SpareFiles spares;
  private final Listener listener;

  private Segment segment;
  private DiskFile file;
  private int fileBytes;
  private long offset;
  private int chain;
  private long forced;
  private HardState state;
  private long lastIndex;
  private long lastTerm;
  private boolean stateIsLast;

  private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES_MIN);
  private long bufferOffset;

  SegmentWriter(Path directory, LogOptions options, SpareFiles spares, Listener listener, Position position) {
    this.directory = directory;
    this.options = options;
    this.failPoint = options.failPoint();
    this.spares = spares;
    this.listener = listener;
    at(position);
  }

  private void at(Position position) {
    segment = position.segment;
    file = position.file;
    fileBytes = position.fileBytes;
    offset = position.offset;
    chain = position.chain;
    forced = position.offset;
    state = position.state;
    lastIndex = position.lastIndex;
    lastTerm = position.lastTerm;
    stateIsLast = false;
    bufferOffset = offset;
    buffer.clear();
    requestSpare();
  }

  long lastIndex() {
    return lastIndex;
  }

  /** Newest hard state that was written. */
  HardState state() {
    return state;
  }

  Segment segment() {
    return segment;
  }

  /** Writes entries that follow the last one, in as many records as they need. */
  void entries(List<Entry> entries) throws IOException {
    int from = 0;
    while (from < entries.size()) {
      int payload = RecordFormat.ENTRIES_HEADER_BYTES + entryBytes(entries.get(from));
      makeRoom(payload);
      int to = from + 1;
      while (to < entries.size()) {
        int more = payload + entryBytes(entries.get(to));
        if (more > RECORD_BYTES_MAX || !fits(more)) {
          break;
        }
        payload = more;
        to++;
      }
      long at = offset;
      int start = begin(payload);
      buffer.putLong(entries.get(from).index()).putInt(to - from);
      for (Entry entry : entries.subList(from, to)) {
        RecordFormat.putEntry(buffer, entry);
      }
      finish(start, RecordFormat.Type.ENTRIES);
      listener.wrote(segment, at, entries.get(from).index());
      Entry last = entries.get(to - 1);
      lastIndex = last.index();
      lastTerm = last.term();
      from = to;
    }
  }

  void truncate(long index, long term) throws IOException {
    makeRoom(16);
    int start = begin(16);
    buffer.putLong(index).putLong(term);
    finish(start, RecordFormat.Type.TRUNCATE);
    lastIndex = index;
    lastTerm = term;
  }

  void state(HardState newState) throws IOException {
    makeRoom(24);
    int start = begin(24);
    RecordFormat.putState(buffer, newState);
    finish(start, RecordFormat.Type.STATE);
    state = newState;
    stateIsLast = true;
  }

  /**
   * Writes the hard state once more after a force, without forcing it: it says that everything before it was durable, so that damage there is never
   * taken for a torn tail. Cheap enough for
   * each moment of rest.
   */
  void mark(HardState newState) throws IOException {
    boolean due = stateIsLast ? !newState.equals(state) : offset == forced;
    if (due) {
      state(newState);
      flush();
    }
  }

  /** Everything written so far becomes durable. */
  void force() throws IOException {
    flush();
    if (forced < offset) {
      failPoint.reached("raft.log.before-sync");
      long began = System.nanoTime();
      file.force();
      options.observer().synced(offset - forced, System.nanoTime() - began);
      forced = offset;
      failPoint.reached("raft.log.after-sync");
    }
    requestSpare();
  }

  /** Begins a new file at once; {@code reset} makes the older ones void. */
  void roll(boolean reset, long baseIndex, long baseTerm, HardState newState, int needed) throws IOException {
    force();
    failPoint.reached("raft.log.before-roll");
    state = newState;
    long sequence = segment.sequence() + 1;
    SegmentHeader header = new SegmentHeader(sequence, options.identities().getAsLong(), reset ? 0 : offset, reset ? 0 : chain, baseIndex, baseTerm, state, reset);
    Position next = begin(directory, options, spares, header, nextBytes(), needed);
    writeEnd();
    at(next);
    listener.rolled(segment);
    failPoint.reached("raft.log.after-roll");
  }

  /** Makes a new segment file durable under its name. */
  static Position begin(Path directory, LogOptions options, SpareFiles spares, SegmentHeader header, int wanted, int needed) throws IOException {
    SpareFiles.Spare spare = spares.take(wanted, needed);
    spare.file().write(header.encode(), 0);
    spare.file().force();
    options.failPoint().reached("raft.log.before-rename");
    Path path = directory.resolve(SegmentHeader.fileName(header.sequence()));
    options.disk().rename(spare.path(), path);
    options.disk().syncDirectory(directory);
    return new Position(
        new Segment(path, header), spare.file(), spare.bytes(), SegmentHeader.BYTES, header.seed(), header.hardState(), header.baseIndex(), header.baseTerm());
  }

  private void writeEnd() throws IOException {
    int start = begin(0);
    finish(start, RecordFormat.Type.END);
    flush();
    file.close();
  }

  private int nextBytes() {
    return (int) Math.min(options.segmentBytes(), Math.max(options.firstSegmentBytes(), fileBytes * 4L));
  }

  private void requestSpare() {
    if (offset > fileBytes / 4) {
      spares.request(nextBytes());
    }
  }

  private boolean fits(int payload) {
    return offset + RecordFormat.recordBytes(payload) + END_BYTES <= fileBytes;
  }

  private void makeRoom(int payload) throws IOException {
    if (!fits(payload)) {
      int needed = Math.max(options.firstSegmentBytes(), SegmentHeader.BYTES + RecordFormat.recordBytes(payload) + END_BYTES);
      roll(false, lastIndex, lastTerm, state, needed);
    }
  }

  /** Opens a record in the buffer; its payload is to follow. */
  private int begin(int payload) throws IOException {
    int bytes = RecordFormat.recordBytes(payload);
    if (buffer.remaining() < bytes && buffer.position() >= RECORD_BYTES_MAX) {
      flush();
    }
    if (buffer.remaining() < bytes) {
      ByteBuffer larger = ByteBuffer.allocateDirect(Math.max(buffer.position() + bytes, Math.min(buffer.capacity() * 2, 2 * RECORD_BYTES_MAX)));
      buffer = larger.put(buffer.flip());
    }
    int start = buffer.position();
    buffer.position(start + RecordFormat.HEADER_BYTES);
    return start;
  }

  private void finish(int start, RecordFormat.Type type) {
    chain = RecordFormat.finish(buffer, start, type, segment.header().tag(), chain, (int) forced);
    offset += buffer.position() - start;
    stateIsLast = false;
  }

  private void flush() throws IOException {
    if (buffer.position() > 0) {
      failPoint.reached("raft.log.before-write");
      long began = System.nanoTime();
      file.write(buffer.flip(), bufferOffset);
      options.observer().written(System.nanoTime() - began);
    }
    bufferOffset = offset;
    buffer.clear();
    if (buffer.capacity() > 4 * RECORD_BYTES_MAX) {
      buffer = ByteBuffer.allocateDirect(RECORD_BYTES_MAX);
    }
  }

  private static int entryBytes(Entry entry) {
    return RecordFormat.ENTRY_HEADER_BYTES + entry.data().length;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
