package io.kvorum.server.backup;

import io.kvorum.raft.log.LogHolds;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * How far the chains of backups are, so that the log behind their ends is kept for their next deltas, also across a restart. Three bounds: four chains (the one that was heard of longest ago
 * goes), two days without news of a chain, and {@link io.kvorum.raft.log.LogOptions#heldFiles} files of log. Beyond them the next delta finds a gap.
 *
 * <p>The file has a line for each chain: name, index, milliseconds since 1970. It is no part of the replicated state: without it, or with another one, only the next delta may find a gap.
 */
public final class ChainMarks {
  private static final Log LOG = Log.of(ChainMarks.class);
  static final int CHAINS_MAX = 4;
  static final long SILENCE_MILLIS = TimeUnit.DAYS.toMillis(2);
  private static final Pattern NAME = Pattern.compile("[0-9A-Za-z._-]{1,64}");

  private final Path file;
  private final LogHolds holds;
  private final LongSupplier clockMillis;
  private final Executor writer;
  private final List<Mark> marks = new ArrayList<>();

  private record Mark(String chain, long index, long heardMillis, LogHolds.Hold hold) {}

  /**
   * Takes up what the file says; one that is damaged counts as empty.
   *
   * @param file may not exist
   * @param writer where the file is written; what it refuses is written with the next news
   */
  public ChainMarks(Path file, LogHolds holds, LongSupplier clockMillis, Executor writer) {
    this.file = file;
    this.holds = holds;
    this.clockMillis = clockMillis;
    this.writer = writer;
    try {
      for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
        String[] parts = line.split(" ");
        put(parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]));
      }
    } catch (IOException | RuntimeException damaged) {
      LOG.warn("ignored how far backups are", "file", file, "error", String.valueOf(damaged.getMessage()));
    }
    expire();
  }

  /** The name of the chains that end at a place: there is one at a time that goes on. */
  static String nameOf(String place) {
    return UUID.nameUUIDFromBytes(place.getBytes(StandardCharsets.UTF_8)).toString();
  }

  /** Whether it can be the name of a chain. */
  static boolean isName(String chain) {
    return NAME.matcher(chain).matches();
  }

  /** A chain ends at this entry now. What is no name of a chain is ignored. Never blocks on the disk. */
  public synchronized void set(String chain, long index) {
    if (!isName(chain)) {
      return;
    }
    put(chain, index, clockMillis.getAsLong());
    expire();
    try {
      writer.execute(this::write);
    } catch (RejectedExecutionException busy) {
      LOG.warn("has not noted how far backups are", "file", file);
    }
  }

  private void put(String chain, long index, long heard) {
    drop(marks.stream().filter(mark -> mark.chain.equals(chain)).toList());
    marks.add(new Mark(chain, index, heard, holds.hold(index + 1)));
    marks.sort(Comparator.comparingLong(Mark::heardMillis).reversed());
    drop(List.copyOf(marks.subList(Math.min(CHAINS_MAX, marks.size()), marks.size())));
  }

  /** Lets go of chains that nobody has spoken of for long; to be called now and then. */
  synchronized void expire() {
    long oldest = clockMillis.getAsLong() - SILENCE_MILLIS;
    drop(marks.stream().filter(mark -> mark.heardMillis < oldest).toList());
  }

  private void drop(List<Mark> gone) {
    gone.forEach(mark -> mark.hold.close());
    marks.removeAll(gone);
  }

  private void write() {
    try {
      replace(text());
    } catch (IOException e) {
      LOG.warn("cannot note how far backups are", "file", file, "error", String.valueOf(e.getMessage()));
    }
  }

  private synchronized String text() {
    StringBuilder text = new StringBuilder();
    marks.forEach(mark -> text.append(mark.chain).append(' ').append(mark.index).append(' ').append(mark.heardMillis).append('\n'));
    return text.toString();
  }

  private void replace(String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
