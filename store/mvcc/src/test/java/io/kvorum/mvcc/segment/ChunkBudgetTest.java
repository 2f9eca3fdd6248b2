package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkBudgetTest {
  @TempDir Path directory;

  /** Lengths around each step of the length's own encoding and of the chunks. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 11, 12, 27, 28, 127, 128, 300, 16_383, 16_384, 65_000, 2_097_151, 2_097_152})
  void theFormulaIsExactToTheLastChunk(int valueBytes) throws Exception {
    long perRecord = ChunkBudget.chunksOf(valueBytes);
    int records = 3;
    byte[] value = new byte[valueBytes];
    // One chunk less than needed refuses the last record in Chronicle itself; exactly enough takes it.
    assertThat(putsThatChronicleTakes(perRecord * records, value)).isEqualTo(records);
    assertThat(putsThatChronicleTakes(perRecord * records - 1, value)).isEqualTo(records - 1);
  }

  /** Our own budget is set far too high here, so that Chronicle is the one that refuses. */
  private int putsThatChronicleTakes(long chunks, byte[] value) throws Exception {
    SegmentSize size = new SegmentSize(chunks, Math.min(chunks, 5));
    try (ChronicleSegmentFile file = ChronicleSegmentFile.createUnchecked(directory.resolve(chunks + ".seg"), size, new Preallocation())) {
      int puts = 0;
      try {
        while (puts < 64) {
          file.put(1, puts, value, 0, value.length);
          puts++;
        }
      } catch (IllegalStateException full) {
        assertThat(full).hasMessageContaining("extra segment tier");
      }
      return puts;
    }
  }

  @Test
  void aBudgetIsUsedToTheLastEntryAndChunkAndNotBeyond() {
    ChunkBudget entries = new ChunkBudget(1_000, 2);
    entries.take(10);
    entries.take(10);
    assertThat(entries.fits(0)).isFalse();
    ChunkBudget chunks = new ChunkBudget(ChunkBudget.chunksOf(300) * 2, 100);
    chunks.take(300);
    assertThat(chunks.fits(300)).isTrue();
    assertThat(chunks.fits(316)).isFalse();
    chunks.take(300);
    assertThat(chunks.fill()).isEqualTo(1.0);
    assertThatThrownBy(() -> chunks.take(0)).isInstanceOf(IllegalStateException.class);
  }
}
