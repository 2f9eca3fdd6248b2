package io.kvorum.raft.log;

import static io.kvorum.raft.log.LogFixture.all;
import static io.kvorum.raft.log.LogFixture.entries;
import static io.kvorum.raft.log.LogFixture.entry;
import static io.kvorum.raft.log.LogFixture.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import io.kvorum.raft.LogView.CompactedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On real files. */
class SegmentedLogTest {
  private static final LogOptions SMALL = LogOptions.defaults().withSegmentBytes(4096, 16 << 10).withCacheBytes(2000).withRetention(2, 0);

  @TempDir Path directory;

  @Test
  void anEmptyLogIsSmallAndHoldsNothing() throws IOException {
    try (SegmentedLog log = SegmentedLog.open(directory.resolve("wal"), LogOptions.defaults())) {
      assertThat(log.firstIndex()).isEqualTo(1);
      assertThat(log.lastIndex()).isZero();
      assertThat(log.term(0)).isZero();
      assertThat(log.hardState()).isEqualTo(HardState.EMPTY);
      assertThat(log.entries(1, 1, 100)).isEmpty();
    }
    try (Stream<Path> files = Files.list(directory.resolve("wal"))) {
      assertThat(files.mapToLong(file -> file.toFile().length()).sum()).isEqualTo(256 << 10);
    }
  }

  @Test
  void whatWasSyncedIsThereAfterReopening() throws IOException {
    List<Entry> written = new ArrayList<>(entries(1, 1, 5, 100));
    written.add(new Entry(2, 6, EntryType.MEMBERSHIP, 77, new byte[] {1, 2, 3}));
    written.add(entry(2, 7, ""));
    try (SegmentedLog log = SegmentedLog.open(directory, LogOptions.defaults())) {
      log.append(new HardState(2, 9, 0), written);
      assertThat(log.needsSync()).isTrue();
      assertThat(texts(all(log))).as("readable before the sync").isEqualTo(texts(written));
      assertThat(log.durableIndex()).isZero();
      assertThat(log.sync()).isEqualTo(7);
      log.append(new HardState(2, 9, 6), List.of());
      assertThat(log.needsSync()).as("a commit index alone waits").isFalse();
    }
    try (SegmentedLog log = SegmentedLog.open(directory, LogOptions.defaults())) {
      assertThat(texts(all(log))).isEqualTo(texts(written));
      assertThat(log.hardState()).isEqualTo(new HardState(2, 9, 6));
      assertThat(log.term(5)).isEqualTo(1);
      assertThat(log.term(6)).isEqualTo(2);
      assertThatThrownBy(() -> log.term(8)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> log.entries(1, 9, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void aBudgetCutsTheAnswerButOneEntryAlwaysComes() throws IOException {
    try (SegmentedLog log = SegmentedLog.open(directory, LogOptions.defaults())) {
      log.append(null, entries(1, 1, 10, 68));
      assertThat(log.entries(1, 11, 1)).hasSize(1);
      assertThat(log.entries(1, 11, 250)).hasSize(2);
      assertThat(log.entries(3, 11, 300)).extracting(Entry::index).containsExactly(3L, 4L, 5L);
    }
  }

  @Test
  void filesFollowEachOtherAndOldEntriesComeFromDisk() throws IOException {
    List<Entry> written = entries(3, 1, 400, 300);
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      for (int i = 0; i < 400; i += 8) {
        log.append(null, written.subList(i, i + 8));
        log.sync();
      }
      assertThat(log.files()).hasSizeGreaterThan(7);
      assertThat(texts(all(log))).isEqualTo(texts(written));
      assertThat(log.entries(17, 18, 1).getFirst().data()).isEqualTo(written.get(16).data());
    }
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      assertThat(texts(all(log))).isEqualTo(texts(written));
    }
    List<Entry> dumped = new ArrayList<>();
    LogReader.Summary summary = LogReader.read(directory, dumped::add);
    assertThat(texts(dumped)).isEqualTo(texts(written));
    assertThat(summary).isEqualTo(new LogReader.Summary(1, 400, 3, new HardState(0, 0, 0)));
  }

  @Test
  void anEntryLargerThanAFileGetsAFileOfItsSize() throws IOException {
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(null, List.of(entry(1, 1, 100), entry(1, 2, 3_000_000), entry(1, 3, 100)));
      log.sync();
      assertThat(texts(all(log))).isEqualTo(texts(List.of(entry(1, 1, 100), entry(1, 2, 3_000_000), entry(1, 3, 100))));
    }
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      assertThat(log.entries(2, 3, 1).getFirst().data()).hasSize(3_000_000);
      assertThat(log.lastIndex()).isEqualTo(3);
    }
  }

  @Test
  void anOverwrittenSuffixIsGone() throws IOException {
    List<Entry> expected = new ArrayList<>(entries(1, 1, 12, 200));
    expected.addAll(entries(4, 13, 60, 150));
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(new HardState(1, 0, 0), entries(1, 1, 50, 200));
      log.sync();
      log.append(new HardState(2, 0, 0), entries(2, 31, 40, 10));
      log.append(new HardState(3, 0, 0), entries(3, 20, 25, 10));
      log.sync();
      log.append(new HardState(4, 0, 12), entries(4, 13, 60, 150));
      assertThat(log.lastIndex()).isEqualTo(60);
      assertThat(log.term(12)).isEqualTo(1);
      assertThat(log.term(13)).isEqualTo(4);
      log.sync();
      assertThat(texts(all(log))).isEqualTo(texts(expected));
    }
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      assertThat(texts(all(log))).isEqualTo(texts(expected));
      assertThat(log.hardState()).isEqualTo(new HardState(4, 0, 12));
    }
  }

  @Test
  void entriesLeaveNoGap() throws IOException {
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(null, entries(1, 1, 3, 10));
      assertThatThrownBy(() -> log.append(null, entries(1, 5, 5, 10))).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aCutForgetsEntriesAndDeletesFilesBeyondTheBound() throws Exception {
    LogOptions options = SMALL.withRetention(2, 20);
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      for (int i = 1; i <= 400; i += 10) {
        log.append(new HardState(1, 0, i - 1), entries(1, i, i + 9, 300));
        log.sync();
      }
      int files = log.files().size();
      assertThat(log.bytesSinceCut()).isEqualTo(400 * 332);
      assertThatThrownBy(() -> log.cut(401)).isInstanceOf(IllegalArgumentException.class);
      log.cut(390);
      assertThat(log.bytesSinceCut()).isZero();
      assertThat(log.files()).hasSizeBetween(3, 4).hasSizeLessThan(files);
      assertThat(log.firstIndex()).isEqualTo(371);
      assertThat(log.term(370)).isEqualTo(1);
      assertThatThrownBy(() -> log.entries(370, 380, 1)).isInstanceOf(CompactedException.class);
      assertThatThrownBy(() -> log.term(369)).isInstanceOf(CompactedException.class);
      assertThat(log.entries(371, 372, 1).getFirst().index()).isEqualTo(371);
      log.append(null, entries(1, 401, 410, 300));
      log.sync();
    }
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      assertThat(log.firstIndex()).isBetween(2L, 371L);
      assertThat(log.lastIndex()).isEqualTo(410);
      long next = log.firstIndex();
      for (Entry entry : all(log)) {
        assertThat(entry.index()).isEqualTo(next);
        next++;
      }
      assertThat(log.hardState()).isEqualTo(new HardState(1, 0, 390));
    }
  }

  @Test
  void aRecycledFileShowsNothingOfItsFormerUse() throws Exception {
    LogOptions options = LogOptions.defaults().withSegmentBytes(8192, 8192).withRetention(1, 0);
    long last = 0;
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      // All entries are alike, so former records lie exactly where new ones would.
      for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 10; i++) {
          last++;
          log.append(new HardState(1, 0, last), entries(1, last, last, 200));
          log.sync();
        }
        log.cut(last);
      }
    }
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      assertThat(log.lastIndex()).isEqualTo(last);
      assertThat(log.files()).hasSizeLessThan(5);
      assertThat(all(log)).last().extracting(Entry::index).isEqualTo(last);
      assertThat(log.hardState().commit()).isEqualTo(last);
    }
  }

  @Test
  void whatIsHeldStaysReadableWithinTheBound() throws Exception {
    LogOptions options = SMALL.withRetention(2, 20).withHeldFiles(6);
    try (SegmentedLog log = SegmentedLog.open(directory, options);
        LogHolds.Hold hold = log.holds().hold(31)) {
      write(log, 1, 90);
      log.cut(90);
      assertThat(log.firstIndex()).isEqualTo(31);
      assertThat(log.entries(31, 91, 1 << 20).getLast().index()).isLessThanOrEqualTo(90);
      write(log, 91, 600);
      log.cut(600);
      // More files than may be held: the oldest went.
      assertThat(log.firstIndex()).isGreaterThan(31).isLessThan(581);
      assertThat(log.files()).hasSizeBetween(6, 7);
      hold.moveTo(700);
      log.cut(600);
      assertThat(log.firstIndex()).isEqualTo(581);
      assertThat(log.files()).hasSizeLessThan(5);
    }
  }

  private static void write(SegmentedLog log, long from, long to) throws Exception {
    for (long i = from; i <= to; i++) {
      log.append(new HardState(1, 0, i - 1), entries(1, i, i, 300));
      log.sync();
    }
  }

  @Test
  void aResetBeginsAnewBehindTheSnapshot() throws Exception {
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(new HardState(5, 2, 3), entries(4, 1, 100, 200));
      log.sync();
      log.reset(1000, 5);
      assertThat(log.firstIndex()).isEqualTo(1001);
      assertThat(log.lastIndex()).isEqualTo(1000);
      assertThat(log.term(1000)).isEqualTo(5);
      assertThat(log.durableIndex()).isEqualTo(1000);
      log.append(null, entries(5, 1001, 1003, 50));
      log.sync();
    }
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      assertThat(log.hardState()).isEqualTo(new HardState(5, 2, 1000));
      assertThat(texts(all(log))).isEqualTo(texts(entries(5, 1001, 1003, 50)));
      assertThat(log.files()).hasSize(1);
    }
  }

  @Test
  void oneForceServesAllThatIsQueued() throws IOException {
    FaultDisk disk = new FaultDisk();
    try (SegmentedLog log = SegmentedLog.open(Path.of("/log"), LogOptions.defaults().withDisk(disk))) {
      int before = disk.forces();
      for (int i = 1; i <= 500; i++) {
        log.append(new HardState(1, 0, i - 1), entries(1, i, i, 50));
      }
      log.sync();
      assertThat(disk.forces() - before).isEqualTo(1);
    }
  }

  @Test
  void whatIsOverwrittenWhileItIsSyncedIsReadInItsNewForm() throws IOException {
    List<Runnable> meanwhile = new ArrayList<>();
    LogOptions options =
        SMALL
            .withCacheBytes(0)
            .withFailPoint(
                name -> {
                  if (name.equals("raft.log.before-sync") && !meanwhile.isEmpty()) {
                    meanwhile.removeFirst().run();
                  }
                });
    List<Entry> expected = new ArrayList<>(entries(1, 1, 4, 50));
    expected.addAll(entries(2, 5, 7, 60));
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      log.append(new HardState(1, 0, 0), entries(1, 1, 10, 50));
      meanwhile.add(() -> log.append(new HardState(2, 0, 0), entries(2, 5, 7, 60)));
      assertThat(log.sync()).as("only what is not overwritten counts").isEqualTo(4);
      assertThat(texts(all(log))).isEqualTo(texts(expected));
      assertThat(log.sync()).isEqualTo(7);
      assertThat(texts(all(log))).isEqualTo(texts(expected));
    }
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      assertThat(texts(all(log))).isEqualTo(texts(expected));
    }
  }
}
