package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.Repository.Kept;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RepositoryTest {
  @TempDir Path folder;

  private Instant now = Instant.now();

  static Stream<Optional<EncryptionKey>> keys() {
    return Stream.of(Optional.empty(), Optional.of(Backups.key(1)));
  }

  private FolderStore store() {
    return new FolderStore(folder.resolve("a/b"), FailPoint.NONE);
  }

  private Settings settings() {
    return Backups.settings(() -> now, FailPoint.NONE);
  }

  private Repository open(Optional<EncryptionKey> key) throws IOException {
    return Repository.openOrCreate(store(), key, settings());
  }

  private static void assertReason(Reason reason, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
  }

  @ParameterizedTest
  @MethodSource("keys")
  void content_comes_back_and_is_sent_once(Optional<EncryptionKey> key) throws IOException {
    try (Repository repository = open(key)) {
      for (int length : new int[] {0, 1, Frames.CONTENT_BYTES - 1, Frames.CONTENT_BYTES, Frames.CONTENT_BYTES + 1, 3 * Frames.CONTENT_BYTES}) {
        byte[] content = Backups.bytes(length, length);
        Kept first = repository.put(Kind.SEGMENT, Content.of(content));
        Kept second = repository.put(Kind.SEGMENT, Content.of(content));

        assertThat(Backups.content(repository, Kind.SEGMENT, first.hex())).isEqualTo(content);
        assertThat(first.sentBytes()).isEqualTo(Files.size(folder.resolve("a/b/segments").resolve(first.hex())));
        assertThat(second).isEqualTo(new Kept(first.hex(), length, 0));
        assertThat(repository.has(Kind.SEGMENT, first.hex())).isTrue();
        assertThat(repository.has(Kind.LOG, first.hex())).isFalse();
        assertThat(first.hex()).isEqualTo(repository.hex(DigestStream.sha256().digest(content)));
      }
    }
  }

  @Test
  void encrypted_objects_show_neither_content_nor_its_digest() throws IOException {
    byte[] content = "a secret that stands in the clear nowhere".repeat(100).getBytes(StandardCharsets.UTF_8);
    try (Repository repository = open(Optional.of(Backups.key(1)))) {
      Kept kept = repository.put(Kind.STATE, Content.of(content));

      assertThat(kept.hex()).isNotEqualTo(java.util.HexFormat.of().formatHex(DigestStream.sha256().digest(content)));
      assertThat(Files.readString(folder.resolve("a/b/state").resolve(kept.hex()), StandardCharsets.ISO_8859_1)).doesNotContain("a secret");
    }
  }

  @Test
  void a_wrong_a_missing_and_a_superfluous_key_are_refused_up_front() throws IOException {
    open(Optional.of(Backups.key(1))).close();
    assertReason(Reason.WRONG_KEY, () -> open(Optional.of(Backups.key(2))));
    assertReason(Reason.WRONG_KEY, () -> open(Optional.empty()));
    assertReason(Reason.WRONG_KEY, () -> Repository.open(store(), Optional.of(Backups.key(2)), settings()));
    try (Repository managed = Repository.manage(store(), settings())) {
      assertThat(managed.backups().backups()).isEmpty();
      assertReason(Reason.WRONG_KEY, () -> managed.put(Kind.LOG, Content.of(new byte[1])));
      assertReason(Reason.WRONG_KEY, () -> managed.read(Kind.LOG, Backups.hex(1)));
    }

    Path other = folder.resolve("plain");
    Repository.openOrCreate(new FolderStore(other, FailPoint.NONE), Optional.empty(), settings()).close();
    assertReason(Reason.WRONG_KEY, () -> Repository.open(new FolderStore(other, FailPoint.NONE), Optional.of(Backups.key(1)), settings()));
  }

  @Test
  void there_is_no_repository_to_be_read_where_none_was_made() throws IOException {
    assertReason(Reason.NOT_FOUND, () -> Repository.open(store(), Optional.empty(), settings()));
    assertThat(folder.resolve("a")).doesNotExist();

    open(Optional.empty()).close();
    try (Repository repository = open(Optional.empty())) {
      repository.publish(Backups.full(repository, "f1", 1, 1));
    }
    Files.delete(folder.resolve("a/b/repository.json"));
    assertReason(Reason.CONTENT_CORRUPT, () -> open(Optional.empty()));
  }

  @ParameterizedTest
  @MethodSource("keys")
  void damage_that_was_found_is_mended_by_the_next_backup_that_needs_the_content(Optional<EncryptionKey> key) throws IOException {
    byte[] content = Backups.bytes(1, 1000);
    Path file;
    String hex;
    try (Repository repository = open(key)) {
      repository.publish(Backups.full(repository, "f1", 1, 1));
      hex = repository.backup("f1").manifest().segments().getFirst().hex();
      file = folder.resolve("a/b/segments").resolve(hex);
    }
    byte[] stored = Files.readAllBytes(file);
    byte[] flipped = stored.clone();
    flipped[stored.length / 2] ^= 1;
    for (byte[] damaged : List.of(flipped, java.util.Arrays.copyOf(stored, stored.length - 1), new byte[0])) {
      Files.write(file, damaged);
      try (Repository repository = open(key)) {
        assertReason(Reason.CONTENT_CORRUPT, () -> Backups.content(repository, Kind.SEGMENT, hex));
        assertThat(Backups.content(folder)).contains("a/b/damaged/segments-" + hex);
      }
      try (Repository repository = open(key)) {
        assertThat(repository.has(Kind.SEGMENT, hex)).isFalse();
        assertThat(repository.put(Kind.SEGMENT, Content.of(content)).sentBytes()).isEqualTo(stored.length);
        assertThat(repository.has(Kind.SEGMENT, hex)).isTrue();
        assertThat(Backups.content(repository, Kind.SEGMENT, hex)).isEqualTo(content);
        assertThat(Backups.content(folder)).doesNotContain("a/b/damaged/segments-" + hex);
      }
    }
  }

  @Test
  void an_object_of_the_wrong_size_stops_the_backup_and_is_sent_again_by_the_next() throws IOException {
    try (Repository repository = open(Optional.empty())) {
      BackupManifest full = Backups.full(repository, "f1", 1, 1);
      String hex = full.segments().getFirst().hex();
      Files.write(folder.resolve("a/b/segments").resolve(hex), new byte[10]);
      assertReason(Reason.CONTENT_CORRUPT, () -> repository.publish(full));
      assertThat(repository.backups().backups()).isEmpty();
      assertThat(repository.has(Kind.SEGMENT, hex)).isFalse();
      repository.publish(Backups.full(repository, "f1", 1, 1));
      assertThat(Backups.content(repository, Kind.SEGMENT, hex)).isEqualTo(Backups.bytes(1, 1000));
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void a_damaged_manifest_is_told_and_stops_what_needs_to_know_it(Optional<EncryptionKey> key) throws IOException {
    try (Repository repository = open(key)) {
      PublishedBackup full = repository.publish(Backups.full(repository, "f1", 1, 1));
      repository.publish(Backups.delta(repository, "d1", new Chain(List.of(full))));
      repository.publish(Backups.full(repository, "f2", 3, 2));
    }
    Path manifest = folder.resolve("a/b/backups/d1.json");
    String text = Files.readString(manifest);
    // With a key even a change that keeps the form is found.
    Files.writeString(manifest, key.isPresent() ? text.replace("\"term\":1", "\"term\":7") : text.substring(1));
    try (Repository repository = open(key)) {
      assertThat(repository.backups().backups()).extracting(PublishedBackup::id).containsExactly("f1", "f2");
      assertThat(repository.backups().damaged()).containsOnlyKeys("d1");
      assertReason(Reason.CONTENT_CORRUPT, () -> repository.backup("d1"));
      assertReason(Reason.CONTENT_CORRUPT, () -> repository.delete("f2", false));
      assertReason(Reason.CONTENT_CORRUPT, () -> repository.collect(Duration.ofHours(1)));
      assertThat(repository.delete("d1", false)).containsExactly("d1");
      assertThat(repository.delete("f1", false)).containsExactly("f1");
      now = now.plus(Duration.ofHours(2));
      assertThat(repository.collect(Duration.ofHours(1)).objects()).isEqualTo(3);
      assertThat(repository.backups().backups()).extracting(PublishedBackup::id).containsExactly("f2");
    }
  }

  @Test
  void ids_are_taken_once_and_have_a_form() throws IOException {
    try (Repository repository = open(Optional.empty())) {
      repository.publish(Backups.full(repository, "f1", 1, 1));
      assertReason(Reason.IN_USE, () -> repository.publish(Backups.full(repository, "f1", 2, 1)));
      assertReason(Reason.NOT_FOUND, () -> repository.backup("../f1"));
      assertReason(Reason.NOT_FOUND, () -> repository.delete("f2", true));
      assertThatThrownBy(() -> repository.publish(Backups.full(repository, "a/b", 1, 1))).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void a_backup_is_published_found_and_deleted(Optional<EncryptionKey> key) throws IOException {
    try (Repository repository = open(key)) {
      BackupManifest full = Backups.full(repository, "f1", 1, 1, 2);
      PublishedBackup published = repository.publish(full);
      BackupManifest delta = Backups.delta(repository, "d1", new Chain(List.of(published)));
      PublishedBackup second = repository.publish(delta);

      assertThat(repository.publish(full)).isEqualTo(published);
      assertThat(repository.backup("d1")).isEqualTo(second);
      assertThat(repository.backups().backups()).containsExactly(published, second);
      assertReason(Reason.IN_USE, () -> repository.delete("f1", false));
      assertThat(repository.delete("f1", true)).containsExactly("d1", "f1");
      assertReason(Reason.NOT_FOUND, () -> repository.backup("f1"));
      assertThat(repository.collect(Duration.ofHours(1)).objects()).isZero();

      now = now.plus(Duration.ofHours(2));
      assertThat(repository.collect(Duration.ofHours(1)).objects()).isEqualTo(4);
      assertThat(Backups.content(folder.resolve("a/b"))).containsExactly("repository.json");
    }
  }
}
