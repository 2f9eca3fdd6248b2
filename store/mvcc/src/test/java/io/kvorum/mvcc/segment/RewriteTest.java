package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RewriteTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, FailPoint.NONE);

  @TempDir Path directory;

  private RevisionLog open() throws IOException {
    return SegmentedRevisionLog.open(directory, OPTIONS);
  }

  private static void await(CompletableFuture<Void> work) throws Exception {
    work.get(30, TimeUnit.SECONDS);
  }

  @Test
  void aFullRewriteLeavesTheLiveRecordsAndTheCheckpointAfterItLetsTheOldFilesGo() throws Exception {
    History history = new History(1);
    History live;
    try (RevisionLog log = open()) {
      history.mixed(log, 3_000, 400);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.mixed(log, 3_000, 400);
      live = history.without(row -> row.main() % 3 != 0);
      try (RevisionLog.View before = log.view()) {
        await(log.rewrite((key, main, sub) -> main % 3 == 0, true));
        live.assertHeldBy(log);
        history.assertHeldBy(before);
        assertThat(log.wantsCheckpoint()).isTrue();
        log.checkpoint(SegmentedRevisionLogTest.facts(history));
        history.assertHeldBy(before);
      }
      assertThat(log.wantsCheckpoint()).isFalse();
      live.assertHeldBy(log);
    }
    try (RevisionLog log = open()) {
      live.assertHeldBy(log);
      assertThat(sealedFiles()).as("old files are deleted").hasSize(1);
    }
  }

  private List<String> sealedFiles() throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(FileNames.SIDE)).toList();
    }
  }

  @Test
  void withoutACheckpointAfterItTheOldStateIsTheDurableOne() throws Exception {
    History history = new History(2);
    try (RevisionLog log = open()) {
      history.mixed(log, 3_000, 400);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      await(log.rewrite((key, main, sub) -> main % 3 == 0, true));
    }
    try (RevisionLog log = open()) {
      history.assertHeldBy(log);
    }
  }

  @Test
  void whenNothingIsLiveNothingIsLeft() throws Exception {
    History history = new History(3);
    try (RevisionLog log = open()) {
      history.mixed(log, 500, 400);
      await(log.rewrite((key, main, sub) -> false, true));
      assertThat(log.sizeBytes()).isZero();
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.mixed(log, 10, 10);
    }
    try (RevisionLog log = open()) {
      new History(0).assertHeldBy(log);
      assertThat(log.manifest().revision()).isGreaterThan(400);
    }
  }

  /** A tombstone without its put is harmless; a put without its tombstone would live again. */
  @Test
  void aDeadTombstoneStaysWhileAnOlderSegmentHoldsDeadPuts() throws Exception {
    History history = new History(4);
    try (RevisionLog log = open()) {
      history.put(log, "dead", 10, 0);
      history.put(log, "alive", 100_000, 0);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.delete(log, "dead");
      history.put(log, "rubbish", 5_000, 0);
      history.put(log, "alive2", 100, 0);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      RevisionLog.Liveness liveness = (key, main, sub) -> new String(key).startsWith("alive");
      await(log.rewrite(liveness, false));
      History partly = history.without(row -> new String(row.key()).equals("rubbish"));
      partly.assertHeldBy(log);
      await(log.rewrite(liveness, true));
      history.without(row -> !new String(row.key()).startsWith("alive")).assertHeldBy(log);
    }
  }

  @Test
  void readersSeeEveryLiveRecordWhileSegmentsAreReplacedUnderThem() throws Exception {
    History history = new History(5);
    try (RevisionLog log = open()) {
      history.mixed(log, 4_000, 400);
      History live = history.without(row -> row.main() % 2 != 0);
      AtomicBoolean stop = new AtomicBoolean();
      List<CompletableFuture<Integer>> readers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        readers.add(
            CompletableFuture.supplyAsync(
                () -> {
                  int rounds = 0;
                  while (!stop.get() || rounds == 0) {
                    try (RevisionLog.View view = log.view()) {
                      for (History.Row row : live.rows()) {
                        assertThat(view.find(row.main(), row.sub()).toByteArray()).isEqualTo(row.encoded());
                      }
                    }
                    rounds++;
                  }
                  return rounds;
                }));
      }
      try {
        for (int round = 0; round < 5; round++) {
          int modulus = 2 << (5 - round);
          await(log.rewrite((key, main, sub) -> main % 2 == 0 || main % modulus != 1, true));
          log.checkpoint(SegmentedRevisionLogTest.facts(history));
        }
      } finally {
        stop.set(true);
      }
      for (CompletableFuture<Integer> reader : readers) {
        assertThat(reader.get(30, TimeUnit.SECONDS)).isPositive();
      }
    }
  }

  @Test
  void manySmallCheckpointsAreMergedInTiers() throws Exception {
    History history = new History(6);
    try (RevisionLog log = open()) {
      for (int i = 0; i < 100; i++) {
        history.mixed(log, 5, 100);
        log.checkpoint(SegmentedRevisionLogTest.facts(history));
      }
      await(log.rewrite((key, main, sub) -> true, false));
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.assertHeldBy(log);
    }
    try (RevisionLog log = open()) {
      history.assertHeldBy(log);
      assertThat(sealedFiles().size()).isLessThan(30);
    }
  }

  @Test
  void aFlippedBitIsFoundWhenTheSegmentIsRewritten() throws Exception {
    History history = new History(7);
    try (RevisionLog log = open()) {
      history.mixed(log, 100, 400);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      Path data;
      try (var files = Files.list(directory)) {
        data = files.filter(file -> file.toString().endsWith(FileNames.DATA) && !file.getFileName().toString().startsWith("active")).findFirst().orElseThrow();
      }
      byte[] last = history.rows().getLast().encoded();
      try (var channel = java.nio.channels.FileChannel.open(data, java.nio.file.StandardOpenOption.READ, java.nio.file.StandardOpenOption.WRITE)) {
        channel.write(java.nio.ByteBuffer.wrap(new byte[] {(byte) (last[last.length - 1] ^ 1)}), channel.size() - 1);
      }
      assertThat(log.rewrite((key, main, sub) -> main % 2 == 0 || main == history.lastMain(), true))
          .failsWithin(java.time.Duration.ofSeconds(20))
          .withThrowableOfType(java.util.concurrent.ExecutionException.class)
          .withMessageContaining(data.getFileName().toString());
    }
  }
}
