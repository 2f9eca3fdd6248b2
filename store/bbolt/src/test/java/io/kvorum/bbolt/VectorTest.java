package io.kvorum.bbolt;

import static io.kvorum.bbolt.Files.hex;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/** A file that etcd 3.6.16 and its tools accept, byte for byte: put a=1; put b=2 and c="" with a lease in one transaction; delete b; put a=3. */
class VectorTest {
  private static final String META_0 =
      """
      00000000000000000400000000000000 edda0ced 02000000 00100000 00000000 0200000000000000 0000000000000000 ffffffffffffffff
      0300000000000000 0200000000000000 4067af04a0b168e3
      """;
  private static final String META_1 =
      """
      01000000000000000400000000000000 edda0ced 02000000 00100000 00000000 0200000000000000 0000000000000000 ffffffffffffffff
      0300000000000000 0100000000000000 a3457d25bb065940
      """;
  private static final String PAGE_2 =
      """
      02000000000000000200020000000000 010000002000000003000000f8000000 010000000b0100000400000043000000 6b6579
      00000000000000000000000000000000 00000000000000000200050000000000
      0000000050000000110000000c000000 000000005d000000110000000c000000 000000006a000000110000000b000000
      00000000760000001200000003000000 000000007b000000110000000c000000
      00000000000000025f0000000000000000 0a01611002180220012a0131 00000000000000035f0000000000000000 0a01621003180320012a0132
      00000000000000035f0000000000000001 0a01631003180320013077
      00000000000000045f000000000000000074 0a0162 00000000000000055f0000000000000000 0a01611002180520022a0133
      6d657461 00000000000000000000000000000000 00000000000000000200010000000000
      00000000100000000e00000005000000 73746f7261676556657273696f6e 332e362e30
      """;
  private static final String DIGEST = "03d45be5bce7018a0327c5d0d3d6233b7ff053e6335d8109a1ebb2229d47e9bb";

  private static List<Bucket> content() {
    SortedMap<byte[], byte[]> rows = Files.rows();
    rows.put(hex("00000000000000025f0000000000000000"), hex("0a01611002180220012a0131"));
    rows.put(hex("00000000000000035f0000000000000000"), hex("0a01621003180320012a0132"));
    rows.put(hex("00000000000000035f0000000000000001"), hex("0a01631003180320013077"));
    rows.put(hex("00000000000000045f000000000000000074"), hex("0a0162"));
    rows.put(hex("00000000000000055f0000000000000000"), hex("0a01611002180520022a0133"));
    SortedMap<byte[], byte[]> meta = Files.rows();
    meta.put("storageVersion".getBytes(StandardCharsets.US_ASCII), "3.6.0".getBytes(StandardCharsets.US_ASCII));
    return List.of(Bucket.of("key", rows), Bucket.of("meta", meta));
  }

  private static byte[] page(String used) {
    return Arrays.copyOf(hex(used), 4096);
  }

  @Test
  void written() throws Exception {
    byte[] file = Files.write(4096, content());
    assertThat(file).hasSize(3 * 4096);
    assertThat(Arrays.copyOfRange(file, 0, 4096)).isEqualTo(page(META_0));
    assertThat(Arrays.copyOfRange(file, 4096, 8192)).isEqualTo(page(META_1));
    assertThat(Arrays.copyOfRange(file, 8192, 12288)).isEqualTo(page(PAGE_2));
    assertThat(MessageDigest.getInstance("SHA-256").digest(file)).isEqualTo(hex(DIGEST));
  }

  @Test
  void read() throws IOException {
    byte[] file = new byte[3 * 4096];
    System.arraycopy(page(META_0), 0, file, 0, 4096);
    System.arraycopy(page(META_1), 0, file, 4096, 4096);
    System.arraycopy(page(PAGE_2), 0, file, 8192, 4096);
    BoltReader reader = BoltReader.open(new BytesSource(file));
    assertThat(reader.meta()).isEqualTo(new Meta(4096, 2, 3, 2));
    assertThat(reader.buckets()).containsExactly("key", "meta");
    SortedMap<byte[], byte[]> rows = Files.read(reader, "key");
    assertThat(rows).hasSize(5);
    assertThat(rows.get(hex("00000000000000045f000000000000000074"))).isEqualTo(hex("0a0162"));
    assertThat(Files.texts(Files.read(reader, "meta"))).containsExactly("73746f7261676556657273696f6e=332e362e30");
    assertThat(Files.read(reader, "lease")).isEmpty();
  }
}
