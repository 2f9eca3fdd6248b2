package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads the log of a stopped or killed member: no lock, no writing, a torn tail is passed over. Used by {@code dump-log} and {@code inspect}.
 */
public final class LogReader {
  private LogReader() {}

  /**
   * What the log holds.
   *
   * @param firstIndex lowest index that is held
   * @param lastIndex highest index that is held, {@code firstIndex - 1} for none
   * @param lastTerm term of that entry
   * @param hardState newest durable hard state; its commit index may be older than what was really committed, never newer
   */
  public record Summary(long firstIndex, long lastIndex, long lastTerm, HardState hardState) {}

  /**
   * @throws LogCorruptException if the log is damaged before its tail
   */
  public static Summary summary(Path directory) throws IOException {
    return read(directory, entry -> {});
  }

  /**
   * Hands all entries that count to {@code sink}, once each and in log order, in one pass for the positions and one for the content, so that memory
   * does not grow with the log.
   *
   * @throws LogCorruptException if the log is damaged before its tail
   */
  public static Summary read(Path directory, Consumer<Entry> sink) throws IOException {
    Disk disk = new FileDisk();
    RecoveredLog found = new RecoveredLog(0);
    new LogRecovery(disk, directory, found).run();
    MemoryTail tail = found.tail();
    long next = tail.baseIndex() + 1;
    long end = tail.lastIndex() + 1;
    while (next < end) {
      List<Entry> entries = found.index().plan(next, end).run(disk, 4 << 20);
      entries.forEach(sink);
      next += entries.size();
    }
    long last = tail.lastIndex();
    return new Summary(tail.baseIndex() + 1, last, tail.term(last), found.state());
  }
}
