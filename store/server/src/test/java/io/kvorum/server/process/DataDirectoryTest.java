package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.process.DataDirectory.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path temp;

  private Path root() {
    return temp.resolve("m.etcd");
  }

  @Test
  void a_new_directory_is_private_marked_and_found_again() throws Exception {
    try (DataDirectory directory = DataDirectory.open(root(), null)) {
      assertThat(directory.isNew()).isTrue();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root()))).isEqualTo("rwx------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.member()))).isEqualTo("rwx------");
      assertThat(directory.log()).isDirectory().isEqualTo(root().resolve("member/log"));
      assertThat(directory.member().resolve("kvorum")).content().startsWith("created-by=kvorum ").contains("format=1\n");
      assertThat(DataDirectory.isMember(root())).isTrue();
    }
    try (DataDirectory again = DataDirectory.open(root(), null)) {
      assertThat(again.isNew()).isFalse();
      assertThat(again.strangers()).isEmpty();
    }
  }

  @Test
  void the_log_may_be_kept_elsewhere() throws Exception {
    Path log = temp.resolve("wal");
    try (DataDirectory directory = DataDirectory.open(root(), log)) {
      assertThat(directory.log()).isEqualTo(log).isDirectory();
    }
  }

  @Test
  void a_second_holder_is_refused_until_the_first_has_closed() throws Exception {
    DataDirectory first = DataDirectory.open(root(), null);
    assertThatThrownBy(() -> DataDirectory.open(root(), null)).isInstanceOf(RefusedException.class).hasMessageContaining("in use by another process");
    first.close();
    DataDirectory.open(root(), null).close();
  }

  @Test
  void etcds_own_data_is_refused_untouched() throws Exception {
    Files.createDirectories(root().resolve("member/wal"));
    assertThatThrownBy(() -> DataDirectory.open(root(), null)).isInstanceOf(RefusedException.class).hasMessageContaining("holds data of etcd (member/wal)");
    assertThat(root().resolve("member/kvorum")).doesNotExist();
    assertThat(root().resolve("member/lock")).doesNotExist();
  }

  @Test
  void a_newer_format_is_refused() throws Exception {
    DataDirectory.open(root(), null).close();
    Files.writeString(root().resolve("member/kvorum"), "created-by=kvorum 9.9\nformat=2\n");
    assertThatThrownBy(() -> DataDirectory.open(root(), null))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("has format 2, written by kvorum 9.9; this version understands up to 1");
  }

  @Test
  void whose_data_it_is_is_noted_once_and_must_stay_so() throws Exception {
    try (DataDirectory directory = DataDirectory.open(root(), null)) {
      directory.identify("c1", "a1");
      directory.identify("c1", "a1");
      assertThat(directory.member().resolve("kvorum")).content().contains("cluster-id=c1\n", "member-id=a1\n", "format=1\n");
    }
    try (DataDirectory directory = DataDirectory.open(root(), null)) {
      assertThatThrownBy(() -> directory.identify("c1", "b2")).isInstanceOf(RefusedException.class).hasMessageContaining("but holds data of c1 b2");
    }
  }

  @Test
  void a_damaged_marker_is_refused_and_the_lock_is_given_back() throws Exception {
    DataDirectory.open(root(), null).close();
    Files.writeString(root().resolve("member/kvorum"), "format=\n");
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> DataDirectory.open(root(), null)).isInstanceOf(RefusedException.class).hasMessageContaining("damaged marker");
    }
  }

  @Test
  void a_store_without_a_marker_is_refused() throws Exception {
    Files.createDirectories(root().resolve("member/store"));
    Files.writeString(root().resolve("member/store/manifest"), "x");
    assertThatThrownBy(() -> DataDirectory.open(root(), null)).isInstanceOf(RefusedException.class).hasMessageContaining("half-initialised");
  }

  @Test
  void empty_directories_of_an_interrupted_first_start_are_taken() throws Exception {
    Files.createDirectories(root().resolve("member/store"));
    Files.createDirectories(root().resolve("member/log"));
    try (DataDirectory directory = DataDirectory.open(root(), null)) {
      assertThat(directory.isNew()).isTrue();
    }
  }

  @Test
  void a_file_in_place_of_the_directory_is_refused_and_strangers_are_named() throws Exception {
    Path file = Files.writeString(temp.resolve("file"), "x");
    assertThatThrownBy(() -> DataDirectory.open(file, null)).isInstanceOf(RefusedException.class).hasMessageContaining("is not a directory");
    Files.createDirectories(root().resolve("lost+found"));
    Files.writeString(root().resolve("notes.txt"), "x");
    try (DataDirectory directory = DataDirectory.open(root(), null)) {
      assertThat(directory.strangers()).containsExactly("notes.txt");
    }
  }
}
