package io.kvorum.bbolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Damaged files end in an exception that says why, never in wrong memory, an endless loop or anything but an IOException. */
class DamageTest {
  private static final int PAGE = 1024;
  private byte[] file;
  private List<String> content;

  @BeforeEach
  void write() throws IOException {
    SortedMap<byte[], byte[]> rows = Files.rows();
    Random random = new Random(5);
    for (int i = 0; i < 1500; i++) {
      byte[] value = new byte[random.nextInt(60)];
      random.nextBytes(value);
      rows.put(ByteBuffer.allocate(17).putLong(i).array(), value);
    }
    content = Files.texts(rows);
    file = Files.write(PAGE, List.of(Bucket.of("key", rows), Bucket.empty("meta")));
  }

  private List<String> read() throws IOException {
    return Files.texts(Files.read(BoltReader.open(new BytesSource(file)), "key"));
  }

  private void refused(String why) {
    assertThatThrownBy(this::read).isInstanceOf(BoltFormatException.class).hasMessageContaining(why);
  }

  private ByteBuffer bytes() {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void one_sound_meta_is_enough() throws IOException {
    Arrays.fill(file, 0, PAGE, (byte) 0);
    assertThat(read()).isEqualTo(content);
    write();
    file[PAGE + 30] ^= 1;
    assertThat(read()).isEqualTo(content);
    Arrays.fill(file, 0, PAGE, (byte) 0);
    refused("no sound meta page");
  }

  @Test
  void the_later_transaction_counts() throws IOException {
    // The second meta becomes newer than the first, with a root that is not there.
    ByteBuffer later = new Meta(PAGE, 7777, file.length / PAGE, 3).encode(1);
    System.arraycopy(later.array(), 0, file, PAGE, PAGE);
    refused("page 7777 is named");
  }

  @Test
  void truncated() {
    file = Arrays.copyOf(file, file.length - PAGE);
    refused("truncated");
    file = Arrays.copyOf(file, 40);
    refused("not a bbolt file");
    file = new byte[0];
    refused("not a bbolt file");
  }

  @Test
  void rubbish_behind_the_pages_in_use_is_nothing() throws IOException {
    file = Arrays.copyOf(file, file.length + 5 * PAGE);
    Arrays.fill(file, file.length - 5 * PAGE, file.length, (byte) 0x5a);
    assertThat(read()).isEqualTo(content);
  }

  @Test
  void a_page_of_another_number() {
    bytes().putLong(2 * PAGE, 9);
    refused("page 2 says that it is page 9");
  }

  @Test
  void a_page_of_another_kind() {
    bytes().putShort(2 * PAGE + 8, (short) 0x10);
    refused("flags 16");
  }

  @Test
  void a_circle() {
    // The directory's bucket "key" points at the root branch; let that branch's first child be the branch itself.
    int root = root();
    bytes().putLong(root * PAGE + 16 + 8, root);
    refused("named twice");
  }

  private int root() {
    int directory = file.length / PAGE - 1;
    int element = directory * PAGE + 16;
    int at = element + bytes().getInt(element + 4) + bytes().getInt(element + 8);
    return (int) bytes().getLong(at);
  }

  @Test
  void keys_out_of_order() {
    int element = 2 * PAGE + 16;
    int key = element + bytes().getInt(element + 4);
    file[key] = 0x7f;
    refused("out of order");
  }

  /** Any byte may be anything: the outcome is the content, other values, or an IOException. */
  @Test
  void random_damage_is_survived() throws IOException {
    Random random = new Random(11);
    byte[] sound = file.clone();
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
      file = sound.clone();
      int flips = random.nextInt(1, 4);
      for (int i = 0; i < flips; i++) {
        // Mostly headers and elements, where it hurts.
        int at = random.nextInt(file.length / PAGE) * PAGE + random.nextInt(random.nextBoolean() ? 64 : PAGE);
        file[at] = (byte) random.nextInt();
      }
      try {
        read();
      } catch (BoltFormatException expected) {
        refused++;
      }
    }
    assertThat(refused).isBetween(300, 2999);
  }
}
