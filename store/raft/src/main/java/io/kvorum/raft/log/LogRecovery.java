package io.kvorum.raft.log;

import io.kvorum.raft.HardState;
import io.kvorum.raft.log.DiskIndex.Segment;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;

/**
 * Reads a log directory back.
 *
 * <ol>
 *   <li>List the segment files; the newest one that begins the log anew makes the older ones void. The numbers of the others must have no gap.
 *   <li>Read each file's records along their chain. A file that has a successor must be whole up to where the successor's header says that it ends.
 *   <li>In the last file, the first record that does not fit ends the log. If a later record proves that the file was durable beyond it, or the
 *       file says that it has a successor, refuse: {@link
 *       LogCorruptException}. Otherwise a crash tore an unfinished write, of which nothing was acknowledged.
 * </ol>
 *
 * Reading changes nothing; what is to be deleted or wiped is part of the result.
 */
final class LogRecovery {
  private static final Logger LOG = System.getLogger(LogRecovery.class.getName());

  /** Receives the records in log order. Payloads are valid during the call only. */
  interface Visitor {
    void begin(Segment segment);

    void entries(Segment segment, long offset, ByteBuffer payload) throws IOException;

    void truncate(long index, long term);

    void state(HardState state);
  }

  /**
   * @param segments the files that count, oldest first; empty for a new log
   * @param obsolete files made void by a reset, oldest first
   * @param end offset in the last file at which the log ends
   * @param chain check sum of its last record
   * @param staleEnd where the remains of a torn write end, {@code end} if there are none
   */
  record Result(List<Segment> segments, List<Path> obsolete, long end, int chain, long staleEnd) {}

  private final Disk disk;
  private final Path directory;
  private final Visitor visitor;

  LogRecovery(Disk disk, Path directory, Visitor visitor) {
    this.disk = disk;
    this.directory = directory;
    this.visitor = visitor;
  }

  Result run() throws IOException {
    List<Path> obsolete = new ArrayList<>();
    List<Segment> used = segments(obsolete);
    long end = 0;
    int chain = 0;
    long staleEnd = 0;
    for (int i = 0; i < used.size(); i++) {
      Segment segment = used.get(i);
      visitor.begin(segment);
      try (SegmentReader reader = SegmentReader.open(disk, segment.path())) {
        if (i + 1 < used.size()) {
          whole(reader, segment, used.get(i + 1));
        } else {
          Tail tail = last(reader, segment);
          end = tail.end;
          chain = tail.chain;
          staleEnd = tail.staleEnd;
        }
      }
    }
    return new Result(List.copyOf(used), obsolete, end, chain, staleEnd);
  }

  /** From the newest file back to the one that begins the log anew, or to the oldest. */
  private List<Segment> segments(List<Path> obsolete) throws IOException {
    List<Long> numbers = disk.list(directory).stream().map(SegmentHeader::sequenceOf).filter(n -> n >= 0).sorted().toList();
    LinkedList<Segment> used = new LinkedList<>();
    for (long number : numbers.reversed()) {
      Path path = directory.resolve(SegmentHeader.fileName(number));
      if (!used.isEmpty() && used.getFirst().header().reset()) {
        obsolete.addFirst(path);
        continue;
      }
      if (!used.isEmpty() && used.getFirst().sequence() != number + 1) {
        throw new LogCorruptException(directory.resolve(SegmentHeader.fileName(number + 1)), 0, "the file is missing");
      }
      try (SegmentReader reader = SegmentReader.open(disk, path)) {
        if (reader.header().sequence() != number) {
          throw new LogCorruptException(path, 0, "the file is number " + reader.header().sequence() + " by its header");
        }
        used.addFirst(new Segment(path, reader.header()));
      }
    }
    return used;
  }

  private void whole(SegmentReader reader, Segment segment, Segment successor) throws IOException {
    long offset = SegmentHeader.BYTES;
    int chain = segment.header().seed();
    long end = successor.header().previousEnd();
    while (offset < end) {
      if (!reader.read(offset) || reader.previous() != chain) {
        throw new LogCorruptException(segment.path(), offset, "a record is damaged, and the log goes on in a later file");
      }
      visit(reader, segment, offset);
      offset = reader.next();
      chain = reader.crc();
    }
    if (offset != end || chain != successor.header().previousCrc()) {
      throw new LogCorruptException(segment.path(), offset, "the next file continues another one");
    }
  }

  private record Tail(long end, int chain, long staleEnd) {}

  private Tail last(SegmentReader reader, Segment segment) throws IOException {
    long offset = SegmentHeader.BYTES;
    int chain = segment.header().seed();
    while (reader.read(offset) && reader.previous() == chain) {
      if (reader.type() == RecordFormat.Type.END) {
        Path missing = directory.resolve(SegmentHeader.fileName(segment.sequence() + 1));
        throw new LogCorruptException(missing, 0, "the file is missing: " + segment.path().getFileName() + " says that it has a successor");
      }
      visit(reader, segment, offset);
      offset = reader.next();
      chain = reader.crc();
    }
    SegmentReader.Rest rest = reader.lookBehind(offset);
    if (rest.provesDurable()) {
      throw new LogCorruptException(segment.path(), offset, "a record is damaged, and a later one says that it was durable");
    }
    if (rest.staleEnd() > offset) {
      LOG.log(Level.WARNING, "the log ends in an unfinished write, which is cut: file {0}, offset {1}", segment.path(), String.valueOf(offset));
    }
    return new Tail(offset, chain, rest.staleEnd());
  }

  private void visit(SegmentReader reader, Segment segment, long offset) throws IOException {
    ByteBuffer in = reader.payload();
    switch (reader.type()) {
      case ENTRIES -> visitor.entries(segment, offset, in);
      case STATE -> visitor.state(RecordFormat.getState(in));
      case TRUNCATE -> visitor.truncate(in.getLong(), in.getLong());
      case END -> throw new LogCorruptException(segment.path(), offset, "an end mark within the log");
    }
  }
}
