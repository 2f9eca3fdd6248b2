package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.KeyValueCodec;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyOrderTest {
  private static final byte[] BYTES = {0, 1, 127, (byte) 128, (byte) 255};

  /** Few different bytes and short lengths, so that keys repeat, extend each other and differ by trailing zeros. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void keysOfAnyBytesComeInUnsignedOrderWithTheirRevisionsAscending(long seed) {
    Random random = new Random(seed);
    byte[] common = bytes(random, random.nextInt(20));
    List<byte[]> keys = new ArrayList<>();
    int count = 1 + random.nextInt(3_000);
    for (int i = 0; i < count; i++) {
      byte[] tail = bytes(random, random.nextInt(12));
      byte[] key = Arrays.copyOf(common, common.length + tail.length);
      System.arraycopy(tail, 0, key, common.length, tail.length);
      keys.add(random.nextInt(50) == 0 && seed % 2 == 0 ? tail : key);
    }
    assertSorted(keys);
  }

  @Test
  void noRecordsAreNoKeys() {
    assertThat(new KeyOrder(new ActiveTable(), MemorySegment.ofArray(new byte[0])).keys().next()).isFalse();
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = BYTES[random.nextInt(BYTES.length)];
    }
    return bytes;
  }

  private static void assertSorted(List<byte[]> keys) {
    Map<byte[], List<Integer>> expected = new TreeMap<>(Arrays::compareUnsigned);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ActiveTable table = new ActiveTable();
    for (int i = 0; i < keys.size(); i++) {
      byte[] encoded = KeyValueCodec.put(keys.get(i), 1, i + 2, 1, new byte[i % 3], 0);
      table.add(i + 2, 0, file.size(), encoded.length, false, 0, 0);
      file.writeBytes(encoded);
      expected.computeIfAbsent(keys.get(i), key -> new ArrayList<>()).add(i);
    }
    KeyCursor found = new KeyOrder(table, MemorySegment.ofArray(file.toByteArray())).keys();
    expected.forEach(
        (key, positions) -> {
          assertThat(found.next()).isTrue();
          assertThat(found.key()).isEqualTo(key);
          assertThat(found.positions()).isEqualTo(positions.size());
          for (int i = 0; i < positions.size(); i++) {
            assertThat(found.position(i)).isEqualTo(positions.get(i));
          }
        });
    assertThat(found.next()).isFalse();
  }
}
