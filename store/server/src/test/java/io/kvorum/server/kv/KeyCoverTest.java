package io.kvorum.server.kv;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyCoverTest {
  private record Range(ByteString begin, ByteString end) {
    boolean contains(ByteString key) {
      var order = ByteString.unsignedLexicographicalComparator();
      return order.compare(begin, key) <= 0 && order.compare(key, end) < 0;
    }
  }

  private static ByteString key(Random random) {
    byte[] key = new byte[1 + random.nextInt(2)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextInt(4) * 0x55);
    }
    return ByteString.copyFrom(key);
  }

  @Test
  void coversWhatAListOfRangesCovers() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      KeyCover cover = new KeyCover();
      List<Range> ranges = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Range range = new Range(key(random), key(random));
        cover.addRange(range.begin, range.end);
        ranges.add(range);
        ByteString single = key(random);
        if (random.nextInt(4) == 0) {
          cover.addKey(single);
          ranges.add(new Range(single, single.concat(ByteString.copyFrom(new byte[1]))));
        }
        for (int probe = 0; probe < 20; probe++) {
          ByteString key = key(random);
          assertThat(cover.contains(key)).as("seed %d, %s in %s", seed, key, ranges).isEqualTo(ranges.stream().anyMatch(r -> r.contains(key)));
        }
      }
    }
  }
}
