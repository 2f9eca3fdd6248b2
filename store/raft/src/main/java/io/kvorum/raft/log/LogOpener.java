package io.kvorum.raft.log;

import io.kvorum.raft.HardState;
import io.kvorum.raft.log.DiskIndex.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Opens a log for writing: recovers it, removes what a crash left behind and finds where writing goes on. */
final class LogOpener {
  /** What {@link SegmentedLog} starts from. */
  record Opened(MemoryTail tail, DiskIndex index, List<Segment> segments, HardState state, SegmentWriter.Position position) {}

  private LogOpener() {}

  static SegmentedLog open(Path directory, LogOptions options) throws IOException {
    Disk disk = options.disk();
    disk.createDirectory(directory);
    if (directory.toAbsolutePath().getParent() != null) {
      disk.syncDirectory(directory.toAbsolutePath().getParent());
    }
    RecoveredLog recovered = new RecoveredLog(options.cacheBytes());
    LogRecovery.Result found = new LogRecovery(disk, directory, recovered).run();
    for (String name : disk.list(directory)) {
      if (name.startsWith(SpareFiles.PREFIX)) {
        disk.delete(directory.resolve(name));
      }
    }
    for (Path file : found.obsolete()) {
      disk.delete(file);
    }
    disk.syncDirectory(directory);
    SpareFiles spares = new SpareFiles(directory, options);
    try {
      SegmentWriter.Position position = found.segments().isEmpty() ? first(directory, options, spares) : goOn(disk, found, recovered);
      List<Segment> segments = found.segments().isEmpty() ? List.of(position.segment()) : found.segments();
      return new SegmentedLog(directory, options, spares, new Opened(recovered.tail(), recovered.index(), segments, recovered.state(), position));
    } catch (IOException | RuntimeException e) {
      spares.close();
      throw e;
    }
  }

  private static SegmentWriter.Position first(Path directory, LogOptions options, SpareFiles spares) throws IOException {
    SegmentHeader header = new SegmentHeader(1, options.identities().getAsLong(), 0, 0, 0, 0, HardState.EMPTY, false);
    return SegmentWriter.begin(directory, options, spares, header, options.firstSegmentBytes(), options.firstSegmentBytes());
  }

  private static SegmentWriter.Position goOn(Disk disk, LogRecovery.Result found, RecoveredLog recovered) throws IOException {
    Segment last = found.segments().getLast();
    DiskFile file = disk.open(last.path(), true);
    try {
      int bytes = (int) file.size();
      if (found.staleEnd() > found.end()) {
        file.write(ByteBuffer.allocate((int) (Math.min(bytes, found.staleEnd()) - found.end())), found.end());
      }
      // After the death of the process alone, the tail may be in the page cache and nowhere else: it counts from here on, so it must be durable.
      file.force();
      MemoryTail tail = recovered.tail();
      return new SegmentWriter.Position(last, file, bytes, found.end(), found.chain(), recovered.state(), tail.lastIndex(), tail.term(tail.lastIndex()));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }
}
