package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.FolderStoreTest.Crash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backup, deletion and collection in a folder, ended at every boundary that they reach and begun again. */
class RepositoryCrashTest {
  private static final Duration LATER = Duration.ofDays(3);

  @TempDir Path folder;

  private final Set<String> crashed = new HashSet<>();

  /** A piece of work in a repository. */
  @FunctionalInterface
  private interface Work {
    void run(Repository repository) throws IOException;
  }

  /** Ends the process at the so-many-th boundary. */
  private final class Countdown implements FailPoint {
    private int left;

    Countdown(int left) {
      this.left = left;
    }

    @Override
    public void reached(String point) {
      if (--left == 0) {
        crashed.add(point);
        throw new Crash();
      }
    }
  }

  private static void backup(Repository repository) throws IOException {
    Optional<PublishedBackup> first = repository.backups().backups().stream().findFirst();
    PublishedBackup full = first.isPresent() ? first.get() : repository.publish(Backups.full(repository, "f1", 1, 1, 2));
    Chain chain = new Chain(List.of(full));
    repository.publish(Backups.delta(repository, "d1", chain));
  }

  private static void delete(Repository repository) throws IOException {
    if (!repository.backups().backups().isEmpty()) {
      repository.delete(repository.backups().backups().getFirst().id(), true);
    }
  }

  private Repository open(Path place, FailPoint failPoint, Duration ahead) throws IOException {
    Settings settings = Backups.settings(() -> Instant.now().plus(ahead), failPoint);
    return Repository.openOrCreate(new FolderStore(place, failPoint), Optional.of(Backups.key(1)), settings);
  }

  /** Runs it with a crash at its first boundary, its second, and so on, each in a place of its own; after each it is run again and must end. */
  private void atEveryBoundary(String name, Work before, Duration ahead, Work work, Work check) throws IOException {
    for (int boundary = 1; ; boundary++) {
      Path place = folder.resolve(name + boundary);
      try (Repository repository = open(place, FailPoint.NONE, Duration.ZERO)) {
        before.run(repository);
      }
      Countdown countdown = new Countdown(boundary);
      try (Repository repository = open(place, countdown, ahead)) {
        work.run(repository);
        check.run(repository);
        assertThat(boundary).as("boundaries of %s", name).isGreaterThan(1);
        return;
      } catch (Crash e) {
        // The next process goes on.
      }
      try (Repository repository = open(place, FailPoint.NONE, ahead)) {
        assertThat(repository.backups().damaged()).isEmpty();
        work.run(repository);
        check.run(repository);
      }
    }
  }

  @Test
  void every_boundary_is_survived() throws IOException {
    atEveryBoundary(
        "backup",
        repository -> {},
        Duration.ZERO,
        RepositoryCrashTest::backup,
        repository -> {
          assertThat(Chain.endingAt(repository.backups().backups(), "d1").backups()).hasSize(2);
          for (BackupManifest.Segment segment : repository.backup("f1").manifest().segments()) {
            assertThat(Backups.content(repository, Kind.SEGMENT, segment.hex())).isEqualTo(Backups.bytes(segment.firstRevision(), 1000));
          }
        });
    atEveryBoundary(
        "delete", RepositoryCrashTest::backup, Duration.ZERO, RepositoryCrashTest::delete, repository -> assertThat(repository.backups().backups()).isEmpty());
    atEveryBoundary(
        "collect",
        repository -> {
          backup(repository);
          delete(repository);
        },
        LATER,
        repository -> repository.collect(Repository.GRACE),
        repository -> {});
    assertThat(crashed).containsExactlyInAnyOrderElementsOf(BackupFailPoints.ALL);
    try (var places = Files.list(folder)) {
      for (Path place : places.filter(path -> path.getFileName().toString().startsWith("collect")).toList()) {
        assertThat(Backups.content(place)).as(place.toString()).containsExactly("repository.json");
      }
    }
  }

  @Test
  void a_run_that_is_begun_again_sends_nothing_twice() throws IOException {
    // Before its manifest is published, all is there.
    try (Repository repository =
        open(folder, FolderStoreTest.crashAt(BackupFailPoints.BEFORE_PUBLISH), Duration.ZERO)) {
      assertThatThrownBy(() -> backup(repository)).isInstanceOf(Crash.class);
    }
    List<String> before = Backups.content(folder);
    try (Repository repository = open(folder, FailPoint.NONE, Duration.ofHours(11))) {
      assertThat(repository.put(Kind.SEGMENT, Content.of(Backups.bytes(1, 1000))).sentBytes()).isZero();
      assertThat(repository.collect(Repository.GRACE).objects()).isZero();
    }
    assertThat(Backups.content(folder)).isEqualTo(before);
    try (Repository repository = open(folder, FailPoint.NONE, Duration.ofHours(13))) {
      // Too old to be relied on: nothing names it yet.
      assertThat(repository.put(Kind.SEGMENT, Content.of(Backups.bytes(1, 1000))).sentBytes()).isPositive();
    }
  }
}
