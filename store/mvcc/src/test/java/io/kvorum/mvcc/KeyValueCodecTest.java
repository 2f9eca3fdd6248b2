package io.kvorum.mvcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Known bytes are rows of a data file that etcd 3.6 reads (keys a, b, c; a lease 0x77; an empty value). */
class KeyValueCodecTest {
  private static final long SEED = Long.getLong("kvorum.seed", 1);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 300);
  private static final HexFormat HEX = HexFormat.of();

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void putsEncodeAsEtcdStoresThem() {
    assertThat(HEX.formatHex(KeyValueCodec.put(utf8("a"), 2, 2, 1, utf8("1"), 0))).isEqualTo("0a01611002180220012a0131");
    assertThat(HEX.formatHex(KeyValueCodec.put(utf8("c"), 3, 3, 1, new byte[0], 0x77))).isEqualTo("0a01631003180320013077");
    assertThat(HEX.formatHex(KeyValueCodec.put(utf8("a"), 2, 5, 2, utf8("3"), 0))).isEqualTo("0a01611002180520022a0133");
  }

  @Test
  void tombstonesHoldKeyAndModRevision() {
    assertThat(HEX.formatHex(KeyValueCodec.tombstone(utf8("b"), 300))).isEqualTo("0a016218ac02");
  }

  @Test
  void negativeLeaseTakesTenBytes() {
    assertThat(HEX.formatHex(KeyValueCodec.put(utf8("k"), 0, 0, 0, new byte[0], -1))).isEqualTo("0a016b30ffffffffffffffffff01");
  }

  @Test
  void fieldsSurviveTheRoundTrip() {
    for (int i = 0; i < TRIES; i++) {
      long seed = SEED + i;
      assertThatCode(() -> fieldsSurviveTheRoundTrip(new SplittableRandom(seed))).as("seed %d", seed).doesNotThrowAnyException();
    }
  }

  /** A number of any length that varints may have, the ends of the lengths more often than by chance. */
  private static long anyLong(SplittableRandom random) {
    long top = random.nextInt(8) == 0 ? -1 : random.nextLong();
    return random.nextInt(8) == 0 ? Long.MIN_VALUE : top >>> random.nextInt(64);
  }

  private static byte[] bytes(SplittableRandom random) {
    byte[] bytes = new byte[random.nextInt(4) == 0 ? random.nextInt(3) : random.nextInt(301)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static void fieldsSurviveTheRoundTrip(SplittableRandom random) throws IOException {
    byte[] key = bytes(random);
    byte[] value = bytes(random);
    long create = anyLong(random) & Long.MAX_VALUE;
    long mod = anyLong(random) & Long.MAX_VALUE;
    long version = anyLong(random) & Long.MAX_VALUE;
    long lease = anyLong(random);
    byte[] encoded = KeyValueCodec.put(key, create, mod, version, value, lease);
    EncodedRecord record = new EncodedRecord(mod, 7, false, MemorySegment.ofArray(encoded));
    assertThat(record.key()).isEqualTo(key);
    assertThat(record.createRevision()).isEqualTo(create);
    assertThat(record.fields().modRevision()).isEqualTo(mod);
    assertThat(record.version()).isEqualTo(version);
    assertThat(record.value()).isEqualTo(value);
    assertThat(record.lease()).isEqualTo(lease);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    record.writeTo(out);
    assertThat(out.toByteArray()).isEqualTo(encoded).isEqualTo(record.toByteArray());
  }

  @Test
  void damageIsRefused() {
    byte[] encoded = KeyValueCodec.put(utf8("key"), 2, 2, 1, utf8("value"), 0);
    byte[] cut = Arrays.copyOf(encoded, encoded.length - 1);
    assertThatThrownBy(() -> KeyValueCodec.parse(MemorySegment.ofArray(cut))).isInstanceOf(IllegalArgumentException.class);
    encoded[0] = 0x7a;
    assertThatThrownBy(() -> KeyValueCodec.parse(MemorySegment.ofArray(encoded))).isInstanceOf(IllegalArgumentException.class);
  }
}
