package io.kvorum.raft.log;

import static io.kvorum.raft.log.LogFixture.all;
import static io.kvorum.raft.log.LogFixture.entries;
import static io.kvorum.raft.log.LogFixture.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.HardState;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A torn tail is cut; anything else is refused with file and offset. */
class LogDamageTest {
  private static final LogOptions SMALL = LogOptions.defaults().withSegmentBytes(4096, 16 << 10).withRetention(2, 0);

  @TempDir Path directory;

  /** As a killed process leaves it: never closed. Three syncs of one entry each, then a fourth. */
  private Path killed(LogOptions options, int entryBytes) throws IOException {
    try (SegmentedLog log = SegmentedLog.open(directory, options)) {
      for (int i = 1; i <= 4; i++) {
        log.append(null, entries(1, i, i, entryBytes));
        log.sync();
      }
      Path copy = directory.resolve("killed");
      Files.createDirectories(copy);
      for (Path file : log.files()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
      return copy;
    }
  }

  private static int used(byte[] content) {
    int end = content.length;
    while (end > 0 && content[end - 1] == 0) {
      end--;
    }
    return (end + 7) & ~7;
  }

  @Test
  void aTailTornAtAnyByteIsCut() throws IOException {
    Path killed = killed(SMALL, 40);
    Path file = killed.resolve(SegmentHeader.fileName(1));
    byte[] whole = Files.readAllBytes(file);
    int end = used(whole);
    int record = RecordFormat.recordBytes(RecordFormat.ENTRIES_HEADER_BYTES + RecordFormat.ENTRY_HEADER_BYTES + 40);
    int payload = RecordFormat.HEADER_BYTES + RecordFormat.ENTRIES_HEADER_BYTES + RecordFormat.ENTRY_HEADER_BYTES + 40;
    for (int cut = end - record; cut < end; cut++) {
      for (boolean shortened : new boolean[] {false, true}) {
        byte[] torn = Arrays.copyOf(Arrays.copyOf(whole, cut), shortened ? cut : whole.length);
        Files.write(file, torn);
        // The last bytes are padding and do not count.
        boolean complete = cut >= end - record + payload;
        boolean zerosLost = Arrays.equals(torn, whole);
        try (SegmentedLog log = SegmentedLog.open(killed, SMALL)) {
          assertThat(log.lastIndex()).as("torn at %d, shortened %s", cut, shortened).isEqualTo(complete || zerosLost ? 4 : 3);
          long next = log.lastIndex() + 1;
          log.append(null, entries(2, next, 4, 40));
          log.append(null, entries(2, 5, 5, 60));
          log.sync();
        }
        try (SegmentedLog log = SegmentedLog.open(killed, SMALL)) {
          assertThat(log.lastIndex()).isEqualTo(5);
        }
        for (int i = 2; Files.deleteIfExists(killed.resolve(SegmentHeader.fileName(i))); i++) {}
      }
    }
  }

  @Test
  void aFlippedBitBeforeTheTailIsRefusedEverywhere() throws IOException {
    Path killed = killed(SMALL, 40);
    Path file = killed.resolve(SegmentHeader.fileName(1));
    byte[] whole = Files.readAllBytes(file);
    int record = RecordFormat.recordBytes(RecordFormat.ENTRIES_HEADER_BYTES + RecordFormat.ENTRY_HEADER_BYTES + 40);
    int payloadEnd = RecordFormat.HEADER_BYTES + RecordFormat.ENTRIES_HEADER_BYTES + RecordFormat.ENTRY_HEADER_BYTES + 40;
    for (int at = 0; at < SegmentHeader.BYTES + 3 * record; at++) {
      boolean unusedHeader = at >= 92 && at < SegmentHeader.BYTES;
      boolean padding = at >= SegmentHeader.BYTES && (at - SegmentHeader.BYTES) % record >= payloadEnd;
      if (unusedHeader || padding) {
        continue;
      }
      byte[] bad = whole.clone();
      bad[at] ^= 4;
      Files.write(file, bad);
      int expected = at < SegmentHeader.BYTES ? 0 : SegmentHeader.BYTES + (at - SegmentHeader.BYTES) / record * record;
      assertThatThrownBy(() -> SegmentedLog.open(killed, SMALL))
          .as("bit flipped at %d", at)
          .isInstanceOfSatisfying(
              LogCorruptException.class,
              e -> {
                assertThat(e.file()).isEqualTo(file);
                assertThat(e.offset()).isEqualTo(expected);
                assertThat(e).hasMessageContaining(file.toString()).hasMessageContaining("offset " + expected);
              });
      assertThat(Files.readAllBytes(file)).as("nothing is repaired").isEqualTo(bad);
      assertThatThrownBy(() -> LogReader.summary(killed)).isInstanceOf(LogCorruptException.class);
    }
  }

  @Test
  void afterACleanCloseDamageInTheLastEntryIsRefusedToo() throws IOException {
    Path file;
    int before;
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(new HardState(1, 1, 0), entries(1, 1, 3, 40));
      log.sync();
      before = used(Files.readAllBytes(log.files().getFirst()));
      file = log.files().getFirst();
    }
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.seek(before - 20);
      raw.write(raw.read() ^ 1);
    }
    flip(file, before - 30);
    assertThatThrownBy(() -> SegmentedLog.open(directory, SMALL)).isInstanceOf(LogCorruptException.class);
  }

  @Test
  void damageInAnOlderFileIsRefused() throws IOException {
    Path first;
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(null, entries(1, 1, 100, 300));
      log.sync();
      assertThat(log.files()).hasSizeGreaterThan(2);
      first = log.files().getFirst();
    }
    long lastRecordOfFirst = lastUsedByte(first);
    flip(first, lastRecordOfFirst - 100);
    assertThatThrownBy(() -> SegmentedLog.open(directory, SMALL))
        .isInstanceOfSatisfying(LogCorruptException.class, e -> assertThat(e.file()).isEqualTo(first));
  }

  @Test
  void aShortenedOlderFileIsRefused() throws IOException {
    Path first;
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(null, entries(1, 1, 100, 300));
      log.sync();
      first = log.files().getFirst();
    }
    try (RandomAccessFile raw = new RandomAccessFile(first.toFile(), "rw")) {
      raw.setLength(2000);
    }
    assertThatThrownBy(() -> SegmentedLog.open(directory, SMALL)).isInstanceOf(LogCorruptException.class);
  }

  @Test
  void aMissingFileIsRefusedAtTheEndToo() throws IOException {
    List<Path> files;
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      log.append(null, entries(1, 1, 200, 300));
      log.sync();
      files = log.files();
    }
    for (Path missing : files.subList(1, files.size())) {
      Path aside = missing.resolveSibling("aside");
      Files.move(missing, aside);
      assertThatThrownBy(() -> SegmentedLog.open(directory, SMALL))
          .isInstanceOfSatisfying(LogCorruptException.class, e -> assertThat(e.file()).isEqualTo(missing))
          .hasMessageContaining("missing");
      Files.move(aside, missing);
    }
    try (SegmentedLog log = SegmentedLog.open(directory, SMALL)) {
      assertThat(texts(all(log))).isEqualTo(texts(entries(1, 1, 200, 300)));
    }
  }

  @Test
  void aReadOfADamagedOldRecordFailsInsteadOfLying() throws IOException {
    LogOptions noCache = SMALL.withCacheBytes(0);
    try (SegmentedLog log = SegmentedLog.open(directory, noCache)) {
      log.append(null, entries(1, 1, 5, 100));
      log.sync();
      flip(log.files().getFirst(), SegmentHeader.BYTES + 80);
      assertThatThrownBy(() -> log.entries(1, 6, 1000)).hasRootCauseInstanceOf(LogCorruptException.class);
    }
  }

  private static long lastUsedByte(Path file) throws IOException {
    return used(Files.readAllBytes(file));
  }

  private static void flip(Path file, long at) throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[(int) at] ^= 4;
    Files.write(file, content);
  }
}
