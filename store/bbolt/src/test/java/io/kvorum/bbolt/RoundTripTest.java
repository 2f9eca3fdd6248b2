package io.kvorum.bbolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is read again, for any sizes of rows; and every page is used exactly once. */
class RoundTripTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anything(long seed) throws IOException {
    Random random = new Random(seed);
    int pageSize = 1024 << random.nextInt(4);
    List<Bucket> buckets = new ArrayList<>();
    List<SortedMap<byte[], byte[]>> contents = new ArrayList<>();
    int count = random.nextInt(1, 40);
    for (int i = 0; i < count; i++) {
      SortedMap<byte[], byte[]> rows = rows(random, pageSize);
      contents.add(rows);
      buckets.add(Bucket.of("bucket-%02d".formatted(i), rows));
    }
    byte[] file = Files.write(pageSize, buckets);
    BoltReader reader = BoltReader.open(new BytesSource(file));
    assertThat(reader.buckets()).hasSize(count);
    for (int i = 0; i < count; i++) {
      assertThat(Files.texts(Files.read(reader, "bucket-%02d".formatted(i)))).as("bucket %s", i).isEqualTo(Files.texts(contents.get(i)));
    }
    assertThat(reader.reached()).as("pages that the trees reach, and two metas").isEqualTo(file.length / pageSize - 2);
  }

  private static SortedMap<byte[], byte[]> rows(Random random, int pageSize) {
    SortedMap<byte[], byte[]> rows = Files.rows();
    int rowCount = switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> random.nextInt(5);
      case 2 -> random.nextInt(200);
      default -> random.nextInt(3000);
    };
    int keyBytes = random.nextInt(10) == 0 ? 2 * pageSize : 40;
    for (int i = 0; i < rowCount; i++) {
      byte[] key = new byte[random.nextInt(1, keyBytes)];
      byte[] value = new byte[random.nextInt(100) == 0 ? random.nextInt(5 * pageSize) : random.nextInt(30)];
      random.nextBytes(key);
      random.nextBytes(value);
      rows.put(key, value);
    }
    return rows;
  }

  @Test
  void one_row_larger_than_a_page_is_a_tree_of_one_leaf() throws IOException {
    SortedMap<byte[], byte[]> rows = Files.rows();
    rows.put(new byte[] {1}, new byte[10_000]);
    byte[] file = Files.write(4096, List.of(Bucket.of("key", rows)));
    // Two metas, three pages of the leaf, the directory.
    assertThat(file).hasSize(6 * 4096);
    assertThat(Files.read(BoltReader.open(new BytesSource(file)), "key").get(new byte[] {1})).hasSize(10_000);
  }

  @Test
  void no_buckets() throws IOException {
    byte[] file = Files.write(4096, List.of());
    assertThat(BoltReader.open(new BytesSource(file)).buckets()).isEmpty();
  }

  @Test
  void rows_out_of_order_are_refused() {
    Bucket twice =
        new Bucket(
            "key",
            sink -> {
              sink.row(new byte[] {1}, ByteBuffer.allocate(0));
              sink.row(new byte[] {1}, ByteBuffer.allocate(0));
            });
    assertThatThrownBy(() -> Files.write(4096, List.of(twice))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void other_rows_than_planned_are_noticed() {
    AtomicInteger passes = new AtomicInteger();
    Bucket growing = new Bucket("key", sink -> sink.row(new byte[] {1}, ByteBuffer.allocate(10_000 * passes.incrementAndGet())));
    assertThatThrownBy(() -> Files.write(4096, List.of(growing))).isInstanceOf(IllegalStateException.class).hasMessageContaining("planned");
  }
}
