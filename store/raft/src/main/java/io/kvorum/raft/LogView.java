package io.kvorum.raft;

import java.util.List;

/** The stored log, as consensus reads it. Implementations answer from memory or from disk; they never block on a sync. */
public interface LogView {
  /** Lowest index whose entry can be read; {@code snapshotIndex + 1} when nothing was cut since. */
  long firstIndex();

  /** Highest index that has been handed to the log, {@code firstIndex - 1} when empty. */
  long lastIndex();

  /**
   * Term of the entry at {@code index}; also known for {@code firstIndex - 1} (0 for index 0).
   *
   * @throws CompactedException below {@code firstIndex - 1}
   * @throws IndexOutOfBoundsException above {@code lastIndex}
   */
  long term(long index);

  /**
   * Entries {@code [from, to)}, cut so that their sizes add up to at most {@code maxBytes}, but always at least one.
   *
   * @throws CompactedException if {@code from < firstIndex}
   * @throws IndexOutOfBoundsException if {@code to > lastIndex + 1}
   */
  List<Entry> entries(long from, long to, long maxBytes);

  /** The asked entry has been cut; a follower that needs it gets a snapshot. */
  final class CompactedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CompactedException(long index, long firstIndex) {
      super("index " + index + " has been cut from the log, which begins at " + firstIndex);
    }
  }
}
