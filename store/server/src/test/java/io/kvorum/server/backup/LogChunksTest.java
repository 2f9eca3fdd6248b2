package io.kvorum.server.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.v1.BackupLogEntry;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogChunksTest {
  private static BackupLogEntry entry(long index, int bytes) {
    return BackupLogEntry.newBuilder()
        .setIndex(index)
        .setTerm(3)
        .setType(EntryType.NORMAL.ordinal())
        .setTimeMillis(index * 10)
        .setData(ByteString.copyFrom(new byte[bytes]))
        .build();
  }

  private static byte[] chunk(int entries, int bytes) throws IOException {
    LogChunks.Filling filling = new LogChunks.Filling();
    for (int i = 1; i <= entries; i++) {
      filling.add(entry(i, bytes), i * 10);
    }
    return filling.content();
  }

  private static List<Entry> read(byte[] chunk, int most) throws IOException {
    List<Entry> entries = new ArrayList<>();
    boolean whole =
        LogChunks.read(
            new ByteArrayInputStream(chunk),
            entry -> {
              entries.add(entry);
              return entries.size() < most;
            });
    assertThat(whole).isEqualTo(entries.size() < most);
    return entries;
  }

  @Test
  void entries_come_back_as_they_were() throws IOException {
    byte[] chunk = chunk(20, 100);
    List<Entry> entries = read(chunk, 1_000);
    assertThat(entries).hasSize(20);
    assertThat(entries.get(4).index()).isEqualTo(5);
    assertThat(entries.get(4).timeMillis()).isEqualTo(50);
    assertThat(entries.get(4).data()).hasSize(100);
    assertThat(read(chunk, 7)).hasSize(7);
    assertThat(chunk(20, 100)).as("the same entries, the same bytes").isEqualTo(chunk);
  }

  @Test
  void it_is_full_at_a_bound_of_bytes() throws IOException {
    LogChunks.Filling filling = new LogChunks.Filling();
    for (int i = 1; i <= 8; i++) {
      assertThat(filling.full()).isFalse();
      filling.add(entry(i, 1 << 20), 0);
    }
    assertThat(filling.full()).isTrue();
  }

  @Test
  void what_is_no_chunk_is_refused() throws IOException {
    byte[] chunk = chunk(3, 10);
    assertThatThrownBy(() -> read(Arrays.copyOf(chunk, chunk.length - 4), 9)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> read(Arrays.copyOf(chunk, 6), 9)).hasMessageContaining("ends too early");
    chunk[7] = 2;
    assertThatThrownBy(() -> read(chunk, 9)).hasMessageContaining("format 2");
    chunk[0] = 0;
    assertThatThrownBy(() -> read(chunk, 9)).hasMessage("not a chunk of a log");
  }
}
