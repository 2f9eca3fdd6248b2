package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FolderStoreTest extends ObjectStoreContract {
  @TempDir Path folder;

  @Override
  ObjectStore store() {
    return new FolderStore(folder.resolve("made/anew"), FailPoint.NONE);
  }

  /** The process ends at a boundary. */
  static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  static FailPoint crashAt(String point) {
    return reached -> {
      if (reached.equals(point)) {
        throw new Crash();
      }
    };
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        BackupFailPoints.FOLDER_BEFORE_WRITE,
        BackupFailPoints.FOLDER_BEFORE_SYNC,
        BackupFailPoints.FOLDER_BEFORE_RENAME,
        BackupFailPoints.FOLDER_BEFORE_DIRECTORY_SYNC,
        BackupFailPoints.FOLDER_AFTER_DIRECTORY_SYNC
      })
  void after_a_crash_there_is_the_old_object_or_the_new_one(String point) throws IOException {
    try (ObjectStore store = store()) {
      store.put("backups/a.json", Content.of(Backups.bytes(1, 1000)));
      try (ObjectStore crashing = new FolderStore(folder.resolve("made/anew"), crashAt(point))) {
        assertThatThrownBy(() -> crashing.put("backups/a.json", Content.of(Backups.bytes(2, 2000)))).isInstanceOf(Crash.class);
      }
      boolean renamed = point.equals(BackupFailPoints.FOLDER_BEFORE_DIRECTORY_SYNC) || point.equals(BackupFailPoints.FOLDER_AFTER_DIRECTORY_SYNC);

      assertThat(content(store, "backups/a.json")).isEqualTo(renamed ? Backups.bytes(2, 2000) : Backups.bytes(1, 1000));
      assertThat(store.list("")).extracting(StoredObject::name).containsExactly("backups/a.json");
      assertThat(store.removePartial(Instant.now().minus(Duration.ofHours(1)))).isZero();
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(1)))).isEqualTo(renamed ? 0 : 1);
      assertThat(Backups.content(folder)).containsExactly("made/anew/backups/a.json");
    }
  }

  @Test
  void the_place_s_failures_name_the_file() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    try (ObjectStore store = new FolderStore(file, FailPoint.NONE)) {
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> store.put("a", Content.of(new byte[1])));
      assertThatThrownBy(() -> store.put("a", Content.of(new byte[1]))).hasMessageContaining(file.toString());
    }
  }

  @Test
  void a_folder_that_nobody_writes_to_is_not_made() throws IOException {
    try (ObjectStore store = store()) {
      assertThat(store.list("")).isEmpty();
      assertThat(store.removePartial(Instant.now())).isZero();
      assertThat(folder.resolve("made")).doesNotExist();
      assertThat(store.uri("backups/a.json")).isEqualTo("file://" + folder + "/made/anew/backups/a.json");
    }
  }
}
