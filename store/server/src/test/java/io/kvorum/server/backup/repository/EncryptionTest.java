package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The format of encrypted objects, and that nothing which is not what was written is ever taken for it. */
class EncryptionTest {
  private static final int FRAME = Frames.CONTENT_BYTES + Frames.TAG_BYTES;

  @TempDir Path folder;

  private static byte[] sealed(byte[] content, int salt) throws IOException {
    byte[] saltBytes = new byte[Frames.SALT_BYTES];
    Arrays.fill(saltBytes, (byte) salt);
    try (InputStream in = new SealedContent(Content.of(content), Backups.key(1), saltBytes, "log/a").open()) {
      return in.readAllBytes();
    }
  }

  @Test
  void any_length_read_in_any_pieces_comes_back() throws IOException {
    Random random = new Random(1);
    for (int round = 0; round < 100; round++) {
      int length = random.nextBoolean() ? random.nextInt(3 * Frames.CONTENT_BYTES) : random.nextInt(4) * Frames.CONTENT_BYTES;
      byte[] content = Backups.bytes(round, length);
      byte[] stored = sealed(content, round);
      assertThat(stored).hasSize((int) Frames.stored(length)).isEqualTo(sealed(content, round));

      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] piece = new byte[1 + random.nextInt(100_000)];
      try (InputStream in = new OpeningStream(new ByteArrayInputStream(stored), Backups.key(1), "log/a", new Damage(new MemoryStore(InstantSource.system(), () -> {})))) {
        for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
          out.write(piece, 0, n);
        }
      }
      assertThat(out.toByteArray()).isEqualTo(content);
    }
  }

  @Test
  void the_salt_changes_everything() throws IOException {
    byte[] content = new byte[1000];
    assertThat(HexFormat.of().formatHex(sealed(content, 1), Frames.HEADER_BYTES, 100)).isNotEqualTo(HexFormat.of().formatHex(sealed(content, 2), Frames.HEADER_BYTES, 100));
  }

  @Test
  void frames_that_are_moved_left_out_repeated_or_of_another_object_do_not_pass() throws IOException {
    byte[] content = Backups.bytes(1, 3 * Frames.CONTENT_BYTES + 100);
    byte[] stored = sealed(content, 1);
    int first = Frames.HEADER_BYTES;
    byte[] swapped = stored.clone();
    System.arraycopy(stored, first, swapped, first + FRAME, FRAME);
    System.arraycopy(stored, first + FRAME, swapped, first, FRAME);
    byte[] repeated = stored.clone();
    System.arraycopy(stored, first, repeated, first + FRAME, FRAME);
    byte[] shorter = new byte[stored.length - FRAME];
    System.arraycopy(stored, 0, shorter, 0, first + FRAME);
    System.arraycopy(stored, first + 2 * FRAME, shorter, first + FRAME, stored.length - first - 2 * FRAME);
    byte[] withoutLast = Arrays.copyOf(stored, first + 3 * FRAME);
    byte[] longer = Arrays.copyOf(stored, stored.length + 1);
    for (byte[] wrong : List.of(swapped, repeated, shorter, withoutLast, longer)) {
      assertRefused(wrong, "log/a", content);
    }
    assertRefused(stored, "log/b", content);
  }

  private static void assertRefused(byte[] stored, String name, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThatThrownBy(
            () -> {
              try (InputStream in = new OpeningStream(new ByteArrayInputStream(stored), Backups.key(1), name, new Damage(new MemoryStore(InstantSource.system(), () -> {})))) {
                byte[] piece = new byte[1000];
                for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                  out.write(piece, 0, n);
                }
              }
            })
        .isInstanceOfSatisfying(ContentCorruptException.class, e -> assertThat(e.object()).isEqualTo(name));
    // What was given before is right, as far as it goes.
    assertThat(out.toByteArray()).isEqualTo(Arrays.copyOf(content, out.size()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void what_was_damaged_in_the_place_is_refused_by_name(boolean encrypted) throws IOException {
    Optional<EncryptionKey> key = encrypted ? Optional.of(Backups.key(1)) : Optional.empty();
    Settings settings = Backups.settings(InstantSource.system(), FailPoint.NONE);
    Random random = new Random(2);
    try (Repository repository = Repository.openOrCreate(new FolderStore(folder, FailPoint.NONE), key, settings)) {
      byte[] content = Backups.bytes(1, 2 * Frames.CONTENT_BYTES + 500);
      String hex = repository.put(Kind.LOG, Content.of(content)).hex();
      String other = repository.put(Kind.LOG, Content.of(Backups.bytes(2, content.length))).hex();
      Path file = folder.resolve("log").resolve(hex);
      byte[] stored = Files.readAllBytes(file);

      for (int length : new int[] {0, 1, Frames.HEADER_BYTES - 1, Frames.HEADER_BYTES, Frames.HEADER_BYTES + FRAME, FRAME, stored.length / 2, stored.length - 1}) {
        assertCorrupt(repository, file, Arrays.copyOf(stored, length), hex);
      }
      assertCorrupt(repository, file, Arrays.copyOf(stored, stored.length + 1), hex);
      for (int round = 0; round < 100; round++) {
        byte[] flipped = stored.clone();
        flipped[random.nextInt(stored.length)] ^= (byte) (1 << random.nextInt(8));
        assertCorrupt(repository, file, flipped, hex);
      }
      assertCorrupt(repository, file, Files.readAllBytes(folder.resolve("log").resolve(other)), hex);
      Files.write(file, stored);
      assertThat(Backups.content(repository, Kind.LOG, hex)).isEqualTo(content);
    }
  }

  private static void assertCorrupt(Repository repository, Path file, byte[] stored, String hex) throws IOException {
    Files.write(file, stored);
    assertThatThrownBy(() -> Backups.content(repository, Kind.LOG, hex)).isInstanceOf(ContentCorruptException.class).hasMessageStartingWith("log/" + hex + ": ");
  }

  @Test
  void keys_are_read_in_three_forms() throws IOException {
    byte[] key = Backups.bytes(3, 32);
    String hex = HexFormat.of().formatHex(key);
    byte[] text = "a text of exactly 32 characters!".getBytes(StandardCharsets.UTF_8);
    for (byte[] form :
        List.of(key, hex.getBytes(StandardCharsets.US_ASCII), (hex.toUpperCase(java.util.Locale.ROOT) + "\r\n").getBytes(StandardCharsets.US_ASCII), Base64.getEncoder().encode(key))) {
      assertThat(read(form).check("id")).isEqualTo(new EncryptionKey(key).check("id"));
    }
    assertThat(read(text).check("id")).isEqualTo(new EncryptionKey(text).check("id"));
    assertThat(read(key).toString()).isEqualTo("EncryptionKey");
  }

  private EncryptionKey read(byte[] content) throws IOException {
    return EncryptionKey.read(Files.write(folder.resolve("key"), content));
  }

  @Test
  void what_is_no_key_is_refused_without_being_repeated() {
    for (String content : List.of("", "\n", "hunter2", "a".repeat(31), "z".repeat(64), "a".repeat(65), Base64.getEncoder().encodeToString(new byte[16]), "a".repeat(5000))) {
      assertThatThrownBy(() -> read(content.getBytes(StandardCharsets.UTF_8)))
          .isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG_KEY))
          .hasMessageNotContaining("hunter2");
    }
    assertThatThrownBy(() -> EncryptionKey.read(folder.resolve("nothing")))
        .isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG_KEY));
  }
}
