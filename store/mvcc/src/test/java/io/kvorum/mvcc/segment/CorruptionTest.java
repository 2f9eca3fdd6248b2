package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorruptionTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, false, FailPoint.NONE);

  @TempDir Path directory;
  private final History history = new History(1);

  @BeforeEach
  void aStoreOfTwoSegments() throws IOException {
    try (RevisionLog log = SegmentedRevisionLog.open(directory, OPTIONS)) {
      history.mixed(log, 300, 300);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.mixed(log, 300, 300);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
    }
  }

  private Path file(String suffix) throws IOException {
    try (var files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().findFirst().orElseThrow();
    }
  }

  private static void flip(Path file, long at) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, at);
      one.put(0, (byte) (one.get(0) ^ 1));
      channel.write(one.flip(), at);
    }
  }

  private static void truncate(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - 1);
    }
  }

  private void assertRefused(Path file) {
    assertThatThrownBy(() -> SegmentedRevisionLog.open(directory, OPTIONS).close())
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining(file.getFileName().toString());
    assertThat(directory).isDirectoryContaining(path -> path.toString().endsWith(FileNames.DATA));
  }

  @Test
  void aFlippedBitAnywhereInASideFileIsRefused() throws IOException {
    Path side = file(FileNames.SIDE);
    for (long at : new long[] {0, 17, 300, Files.size(side) - 1}) {
      flip(side, at);
      assertRefused(side);
      flip(side, at);
    }
    SegmentedRevisionLog.open(directory, OPTIONS).close();
  }

  @Test
  void aTruncatedSideFileIsRefused() throws IOException {
    truncate(file(FileNames.SIDE));
    assertRefused(file(FileNames.SIDE));
  }

  @Test
  void aTruncatedSegmentIsRefused() throws IOException {
    truncate(file(FileNames.DATA));
    assertRefused(file(FileNames.DATA));
  }

  @Test
  void aMissingSegmentIsRefused() throws IOException {
    Path missing = file(FileNames.DATA);
    Files.delete(missing);
    assertRefused(missing);
  }

  @Test
  void aMissingSideFileIsRefused() throws IOException {
    Path missing = file(FileNames.SIDE);
    Files.delete(missing);
    assertRefused(missing);
  }

  @Test
  void aDamagedManifestIsRefused() throws IOException {
    Path manifest = directory.resolve(FileNames.MANIFEST);
    for (long at : new long[] {1, 20, Files.size(manifest) - 1}) {
      flip(manifest, at);
      assertRefused(manifest);
      flip(manifest, at);
    }
    truncate(manifest);
    assertRefused(manifest);
  }

  @Test
  void aMissingManifestIsRefused() throws IOException {
    Files.delete(directory.resolve(FileNames.MANIFEST));
    assertRefused(directory.resolve(FileNames.MANIFEST));
  }

  @Test
  void aManifestOfANewerVersionIsRefusedWithoutCallingItDamaged() throws IOException {
    Path manifest = directory.resolve(FileNames.MANIFEST);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(manifest));
    bytes.putInt(Long.BYTES, 2);
    CRC32C crc = new CRC32C();
    crc.update(bytes.array(), 0, bytes.capacity() - Integer.BYTES);
    bytes.putInt(bytes.capacity() - Integer.BYTES, (int) crc.getValue());
    Files.write(manifest, bytes.array());
    assertThatThrownBy(() -> SegmentedRevisionLog.open(directory, OPTIONS).close())
        .isInstanceOf(NewerFormatException.class)
        .hasMessageContaining("written by a newer version: format 2, this one reads up to 1");
  }

  @Test
  void rubbishIsDeletedAndForeignFilesAreLeftAlone() throws IOException {
    Path[] rubbish = {directory.resolve("active-99.seg"), directory.resolve("0123-7.side"), directory.resolve("MANIFEST.tmp")};
    for (Path file : rubbish) {
      Files.writeString(file, "rubbish");
    }
    Path foreign = Files.writeString(directory.resolve("notes.txt"), "keep");
    try (RevisionLog log = SegmentedRevisionLog.open(directory, OPTIONS)) {
      history.assertHeldBy(log);
      for (Path file : rubbish) {
        assertThat(file).doesNotExist();
      }
      assertThat(foreign).exists();
    }
  }

  @Test
  void verifyReadsEveryRecordBothWaysAndNamesADamagedFile() throws IOException {
    try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory, OPTIONS)) {
      assertThat(log.verify(true)).isEqualTo(history.rows().size());
    }
    Path data = file(FileNames.DATA);
    flip(data, Files.size(data) - 1);
    try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory, OPTIONS)) {
      assertThatThrownBy(() -> log.verify(false)).isInstanceOf(StoreCorruptException.class).hasMessageContaining(data.getFileName().toString());
    }
    try (var files = Files.list(directory)) {
      assertThat(files).noneMatch(file -> file.toString().endsWith(FileNames.TEMPORARY));
    }
  }
}
