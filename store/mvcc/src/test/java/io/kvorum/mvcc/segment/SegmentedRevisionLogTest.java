package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentedRevisionLogTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, FailPoint.NONE);

  @TempDir Path directory;

  private RevisionLog open() throws IOException {
    return SegmentedRevisionLog.open(directory, OPTIONS);
  }

  static RevisionLog.Manifest facts(History history) {
    return new RevisionLog.Manifest(history.lastMain() * 3, 7, history.lastMain(), -1, "machine".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aNewLogHasNoManifestAndNoRecords() throws IOException {
    try (RevisionLog log = open()) {
      assertThat(log.manifest()).isNull();
      new History(1).assertHeldBy(log);
    }
    try (RevisionLog log = open()) {
      assertThat(log.manifest()).isNull();
    }
  }

  @Test
  void recordsAreReadableAtOnceAndAcrossCutsAndSealsAndReopening() throws IOException {
    History history = new History(2);
    try (RevisionLog log = open()) {
      history.mixed(log, 200, 100);
      history.assertHeldBy(log);
      history.mixed(log, 6_000, 600);
      history.assertHeldBy(log);
      log.checkpoint(facts(history));
      history.assertHeldBy(log);
      assertThat(log.manifest()).isEqualTo(log.manifest()).extracting(RevisionLog.Manifest::revision).isEqualTo(history.lastMain());
    }
    for (int round = 0; round < 3; round++) {
      try (RevisionLog log = open()) {
        assertThat(log.manifest().index()).isEqualTo(history.lastMain() * 3);
        assertThat(log.manifest().machineState()).asString().isEqualTo("machine");
        history.assertHeldBy(log);
        history.mixed(log, 50, 100);
        log.checkpoint(facts(history));
        history.assertHeldBy(log);
      }
    }
  }

  @Test
  void whatNoCheckpointNamesIsGoneAfterReopening() throws IOException {
    History history = new History(3);
    History durable;
    try (RevisionLog log = open()) {
      history.mixed(log, 2_000, 300);
      log.checkpoint(facts(history));
      durable = history.prefix(history.rows().size());
      history.mixed(log, 4_000, 300);
    }
    try (RevisionLog log = open()) {
      durable.assertHeldBy(log);
      durable.mixed(log, 100, 300);
      durable.assertHeldBy(log);
    }
  }

  @Test
  void largeValuesGetFilesCutForThem() throws IOException {
    History history = new History(4);
    try (RevisionLog log = open()) {
      history.put(log, "a", 1_572_864, 0);
      history.put(log, "b", 10, 0);
      history.put(log, "c", 12 << 20, 0);
      history.put(log, "d", 300_000, 0);
      history.put(log, "e", 0, 0);
      history.assertHeldBy(log);
      log.checkpoint(facts(history));
    }
    try (RevisionLog log = open()) {
      history.assertHeldBy(log);
    }
  }

  @Test
  void aTransactionMayReachOverCuts() throws IOException {
    History history = new History(5);
    try (RevisionLog log = open()) {
      for (int sub = 0; sub < 5_000; sub++) {
        byte[] key = ("k" + sub).getBytes(StandardCharsets.UTF_8);
        log.append(2, sub, key, KeyValueCodec.put(key, 2, 2, 1, new byte[100], 0), false, 0);
      }
      log.checkpoint(facts(history));
      try (RevisionLog.View view = log.view()) {
        for (int sub = 0; sub < 5_000; sub++) {
          Record record = view.find(2, sub);
          assertThat(record.key()).asString().isEqualTo("k" + sub);
        }
        assertThat(view.find(2, 5_000)).isNull();
      }
    }
  }

  @Test
  void revisionsFarApartAreFound() throws IOException {
    try (RevisionLog log = open()) {
      byte[] key = {1};
      long[] mains = {5, 6, 1_000_000, 1_000_001, 5_000_000_000L, 5_000_000_001L, Long.MAX_VALUE};
      for (long main : mains) {
        log.append(main, 0, key, KeyValueCodec.put(key, 5, main, 1, key, 0), false, 0);
      }
      for (int round = 0; round < 2; round++) {
        try (RevisionLog.View view = log.view()) {
          for (long main : mains) {
            assertThat(view.find(main, 0).modRevision()).isEqualTo(main);
            assertThat(view.find(main, 1)).isNull();
            assertThat(view.find(main - 2, 0)).isNull();
          }
        }
        log.checkpoint(new RevisionLog.Manifest(1, 1, 1, -1, new byte[0]));
      }
    }
  }

  @Test
  void revisionsMustAscend() throws IOException {
    History history = new History(6);
    try (RevisionLog log = open()) {
      history.put(log, "a", 1, 0);
      assertThatThrownBy(() -> log.append(history.lastMain(), 0, new byte[1], new byte[1], false, 0)).isInstanceOf(IllegalArgumentException.class);
      log.checkpoint(facts(history));
    }
    try (RevisionLog log = open()) {
      assertThatThrownBy(() -> log.append(history.lastMain(), 0, new byte[1], new byte[1], false, 0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void readersOnOtherThreadsSeeWhatIsPublishedWhileTheWriterGoesOn() throws Exception {
    try (RevisionLog log = open()) {
      AtomicLong published = new AtomicLong(1);
      long last = 20_000;
      List<CompletableFuture<Long>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(CompletableFuture.supplyAsync(() -> readUntil(log, published, last)));
      }
      byte[] key = "key".getBytes(StandardCharsets.UTF_8);
      for (long main = 2; main <= last; main++) {
        for (int sub = 0; sub <= main % 3; sub++) {
          log.append(main, sub, key, KeyValueCodec.put(key, sub + 1, main, 1, new byte[(int) (main % 200)], 0), false, main % 7);
        }
        published.setRelease(main);
      }
      for (CompletableFuture<Long> reader : readers) {
        assertThat(reader.get(30, TimeUnit.SECONDS)).isPositive();
      }
    }
  }

  private static long readUntil(RevisionLog log, AtomicLong published, long last) {
    Random random = new Random(1);
    long reads = 0;
    for (long newest = 1; newest < last; ) {
      newest = published.getAcquire();
      try (RevisionLog.View view = log.view()) {
        for (int i = 0; i < 50 && newest > 1; i++, reads++) {
          long main = i < 10 ? newest : 2 + random.nextLong(newest - 1);
          int sub = (int) (main % 3);
          Record record = view.find(main, sub);
          if (record == null || record.modRevision() != main || record.createRevision() != sub + 1 || record.value().length != main % 200) {
            throw new AssertionError("revision " + main + "." + sub + ": " + record);
          }
        }
      }
    }
    return reads;
  }

  @Test
  void aPreparedCheckpointHasOnlyAShortTailToSeal() throws Exception {
    History history = new History(9);
    try (RevisionLog log = open()) {
      assertThat(log.prepareCheckpoint()).isTrue();
      history.put(log, "short", 1_000, 0);
      assertThat(log.prepareCheckpoint()).as("a short tail needs no preparation").isTrue();
      history.put(log, "long", 6 << 20, 0);
      long deadline = System.nanoTime() + 20_000_000_000L;
      while (!log.prepareCheckpoint() && System.nanoTime() < deadline) {
        history.put(log, "meanwhile", 10, 0);
        Thread.sleep(5);
      }
      assertThat(log.prepareCheckpoint()).isTrue();
      try (var files = Files.list(directory)) {
        assertThat(files.filter(file -> file.toString().endsWith(FileNames.SIDE)).mapToLong(file -> file.toFile().length()).sum()).isPositive();
      }
      log.checkpoint(facts(history));
    }
    try (RevisionLog log = open()) {
      history.assertHeldBy(log);
    }
  }

  @Test
  void anEmptyStoreTakesAFewHundredKilobytes() throws IOException {
    try (RevisionLog log = open()) {
      new History(8).put(log, "a", 10, 0);
      try (var files = Files.walk(directory)) {
        assertThat(files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum()).isLessThan(900 << 10);
      }
    }
  }
}
