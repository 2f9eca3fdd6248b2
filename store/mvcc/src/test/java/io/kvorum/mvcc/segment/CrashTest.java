package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** At each durable boundary: the files as they are then, and as they are after the failure was handled, open to the last durable state. */
@Timeout(60)
class CrashTest {
  private static final Set<String> IN_INSTALL =
      Set.of(FailPoints.INSTALL_SEGMENT, FailPoints.INSTALL_BEFORE_MANIFEST, FailPoints.INSTALL_AFTER_MANIFEST);
  private static final Set<String> IN_REWRITE = Set.of(FailPoints.REWRITE_BEFORE_SWAP, FailPoints.REWRITE_AFTER_SWAP);

  /** From here on a restart finds what the checkpoint or the install wrote. */
  private static final Set<String> AFTER_RENAME =
      Set.of(FailPoints.MANIFEST_BEFORE_DIRECTORY_SYNC, FailPoints.MANIFEST_AFTER_DIRECTORY_SYNC, FailPoints.INSTALL_AFTER_MANIFEST);

  @TempDir Path directory;
  private Path live;
  private Path copy;

  /** Copies the directory when armed and its point is reached, then fails. */
  private final class Crash implements FailPoint {
    private final String point;
    private volatile boolean armed;
    private volatile boolean reached;

    Crash(String point) {
      this.point = point;
    }

    @Override
    public void reached(String name) {
      if (armed && name.equals(point)) {
        armed = false;
        copyFiles();
        reached = true;
        throw new IllegalStateException("injected at " + name);
      }
    }
  }

  private void copyFiles() {
    try (var files = Files.list(live)) {
      for (Path file : files.toList()) {
        // A file may be renamed while the copy is made, as little as a crash asks for a quiet moment.
        try {
          Files.copy(file, copy.resolve(file.getFileName().toString()));
        } catch (java.nio.file.NoSuchFileException e) {
          continue;
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String> points() {
    return FailPoints.ALL;
  }

  @ParameterizedTest
  @MethodSource("points")
  void theLastDurableStateIsFound(String point) throws Exception {
    live = directory.resolve("live");
    copy = Files.createDirectories(directory.resolve("copy"));
    Crash crash = new Crash(point);
    MvccOptions options = new MvccOptions(0, true, crash);
    History history = new History(1);
    History other = new History(2);
    History before;
    try (RevisionLog log = SegmentedRevisionLog.open(live, options)) {
      history.mixed(log, 1_500, 300);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      before = history.prefix(history.rows().size());
      history.mixed(log, 500, 300);
      Path sent = IN_INSTALL.contains(point) ? snapshotOf(other, log) : null;
      crash.armed = true;
      if (sent != null) {
        assertThatThrownBy(() -> log.install(sent)).hasMessageContaining(point);
      } else if (IN_REWRITE.contains(point)) {
        assertThatThrownBy(() -> log.rewrite((key, main, sub) -> main % 3 == 0, true).join()).isInstanceOf(CompletionException.class);
      } else {
        assertThatThrownBy(() -> log.checkpoint(SegmentedRevisionLogTest.facts(history))).hasMessageContaining(point);
      }
      assertThat(crash.reached).isTrue();
      if (!IN_REWRITE.contains(point)) {
        // What is on disk cannot be known after such a failure.
        assertThatThrownBy(() -> history.mixed(log, 1, 1)).isInstanceOf(IllegalStateException.class).hasMessageContaining("must be restarted");
        assertThatThrownBy(() -> log.checkpoint(SegmentedRevisionLogTest.facts(history))).isInstanceOf(IllegalStateException.class);
      }
    }
    History expected = AFTER_RENAME.contains(point) ? IN_INSTALL.contains(point) ? other : history : before;
    assertFound(copy, expected);
    assertFound(live, expected);
  }

  private Path snapshotOf(History history, RevisionLog receiver) throws IOException {
    Path sent = Files.createDirectories(directory.resolve("sent"));
    try (RevisionLog leader = SegmentedRevisionLog.open(directory.resolve("leader"), MvccOptions.DEFAULT)) {
      history.mixed(leader, 500, 300);
      leader.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.mixed(leader, 500, 300);
      leader.checkpoint(SegmentedRevisionLogTest.facts(history));
      try (SnapshotFiles snapshot = leader.snapshot()) {
        SnapshotTest.ship(snapshot, receiver, sent);
      }
    }
    return sent;
  }

  private static void assertFound(Path directory, History expected) throws IOException {
    try (RevisionLog log = SegmentedRevisionLog.open(directory, new MvccOptions(0, true, FailPoint.NONE))) {
      expected.assertHeldBy(log);
      assertThat(log.manifest().index()).isEqualTo(SegmentedRevisionLogTest.facts(expected).index());
    }
    History after = expected.prefix(expected.rows().size());
    try (RevisionLog log = SegmentedRevisionLog.open(directory, new MvccOptions(0, true, FailPoint.NONE))) {
      after.mixed(log, 300, 300);
      log.checkpoint(SegmentedRevisionLogTest.facts(after));
      after.assertHeldBy(log);
    }
    try (RevisionLog log = SegmentedRevisionLog.open(directory, new MvccOptions(0, true, FailPoint.NONE))) {
      after.assertHeldBy(log);
    }
  }
}
