package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, FailPoint.NONE);

  @TempDir Path directory;
  private Path sent;
  private Path leaderDirectory;
  private Path followerDirectory;

  @BeforeEach
  void directories() throws IOException {
    sent = Files.createDirectories(directory.resolve("sent"));
    leaderDirectory = directory.resolve("leader");
    followerDirectory = directory.resolve("follower");
  }

  /** Ships what is missing, in odd steps and checking each file's promised length and checksum. */
  static List<String> ship(SnapshotFiles snapshot, RevisionLog to, Path into) throws IOException {
    List<String> missing = to.missing(snapshot.entries());
    for (SnapshotFiles.Entry entry : snapshot.entries()) {
      if (missing.contains(entry.name())) {
        ship(snapshot, entry, into);
      }
    }
    return missing;
  }

  private static void ship(SnapshotFiles snapshot, SnapshotFiles.Entry entry, Path into) throws IOException {
    CRC32C crc = new CRC32C();
    try (FileChannel out = FileChannel.open(into.resolve(entry.name()), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long at = 0;
      for (int step = 1; ; step = step * 3 % 100_003) {
        ByteBuffer part = step % 2 == 0 ? ByteBuffer.allocate(step) : ByteBuffer.allocateDirect(step);
        int read = snapshot.read(entry.name(), at, part);
        if (read < 0) {
          break;
        }
        at += read;
        crc.update(part.flip().duplicate());
        out.write(part);
      }
      assertThat(at).isEqualTo(entry.length());
      assertThat((int) crc.getValue()).isEqualTo(entry.crc32c());
    }
  }

  @Test
  void aSnapshotReplacesTheWholeStateAndSurvivesReopening() throws IOException {
    History leaders = new History(1);
    History followers = new History(2);
    try (RevisionLog leader = SegmentedRevisionLog.open(leaderDirectory, OPTIONS);
        RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      leaders.mixed(leader, 3_000, 500);
      leader.checkpoint(SegmentedRevisionLogTest.facts(leaders));
      followers.mixed(follower, 1_000, 500);
      follower.checkpoint(new RevisionLog.Manifest(5, 1, 900, -1, new byte[0]));
      followers.mixed(follower, 1_000, 500);
      try (SnapshotFiles snapshot = leader.snapshot();
          RevisionLog.View old = follower.view()) {
        assertThat(snapshot.checkpoint().index()).isEqualTo(leaders.lastMain() * 3);
        leaders.prefix(leaders.rows().size());
        ship(snapshot, follower, sent);
        follower.install(sent);
        leaders.assertHeldBy(follower);
        followers.assertHeldBy(old);
        assertThat(follower.manifest().index()).isEqualTo(leaders.lastMain() * 3);
        assertThat(follower.manifest().machineState()).asString().isEqualTo("machine");
        assertThat(follower.missing(snapshot.entries())).as("equal content has equal names").hasSize(1).allMatch(name -> name.startsWith("manifest-"));
      }
    }
    try (RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      leaders.assertHeldBy(follower);
      leaders.mixed(follower, 100, 100);
      leaders.assertHeldBy(follower);
    }
  }

  @Test
  void onlyWhatTheOtherSideLacksIsShipped() throws Exception {
    History history = new History(3);
    try (RevisionLog leader = SegmentedRevisionLog.open(leaderDirectory, OPTIONS);
        RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      history.mixed(leader, 2_000, 500);
      leader.checkpoint(SegmentedRevisionLogTest.facts(history));
      try (SnapshotFiles snapshot = leader.snapshot()) {
        assertThat(ship(snapshot, follower, sent)).hasSameSizeAs(snapshot.entries());
        follower.install(sent);
      }
      history.mixed(leader, 100, 100);
      leader.checkpoint(SegmentedRevisionLogTest.facts(history));
      Path second = Files.createDirectories(directory.resolve("second"));
      try (SnapshotFiles snapshot = leader.snapshot()) {
        assertThat(ship(snapshot, follower, second)).hasSize(2);
        // What was promised not to be missing survives a rewrite that drops it meanwhile.
        follower.rewrite((key, main, sub) -> main % 2 == 0, true).get(30, TimeUnit.SECONDS);
        follower.checkpoint(SegmentedRevisionLogTest.facts(history));
        follower.install(second);
      }
      history.assertHeldBy(follower);
    }
  }

  @Test
  void aPinnedSnapshotOutlivesRewritesAndCheckpoints() throws Exception {
    History history = new History(4);
    try (RevisionLog leader = SegmentedRevisionLog.open(leaderDirectory, OPTIONS);
        RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      history.mixed(leader, 1_000, 300);
      leader.checkpoint(SegmentedRevisionLogTest.facts(history));
      try (SnapshotFiles snapshot = leader.snapshot()) {
        leader.rewrite((key, main, sub) -> false, true).get(30, TimeUnit.SECONDS);
        leader.checkpoint(SegmentedRevisionLogTest.facts(history));
        ship(snapshot, follower, sent);
      }
      follower.install(sent);
      history.assertHeldBy(follower);
    }
  }

  @Test
  void anEmptySnapshotEmptiesTheStore() throws IOException {
    History followers = new History(5);
    try (RevisionLog leader = SegmentedRevisionLog.open(leaderDirectory, OPTIONS);
        RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      leader.checkpoint(new RevisionLog.Manifest(3, 1, 1, -1, new byte[] {1}));
      followers.mixed(follower, 100, 100);
      try (SnapshotFiles snapshot = leader.snapshot()) {
        ship(snapshot, follower, sent);
      }
      follower.install(sent);
      new History(0).assertHeldBy(follower);
      History anew = new History(6);
      anew.mixed(follower, 10, 10);
      anew.assertHeldBy(follower);
    }
  }

  @Test
  void aDamagedOrMissingFileIsRefusedByNameAndTheOldStateStays() throws IOException {
    History leaders = new History(7);
    History followers = new History(8);
    try (RevisionLog leader = SegmentedRevisionLog.open(leaderDirectory, OPTIONS);
        RevisionLog follower = SegmentedRevisionLog.open(followerDirectory, OPTIONS)) {
      leaders.mixed(leader, 1_000, 100);
      leader.checkpoint(SegmentedRevisionLogTest.facts(leaders));
      followers.mixed(follower, 100, 100);
      try (SnapshotFiles snapshot = leader.snapshot()) {
        ship(snapshot, follower, sent);
      }
      Path stream;
      try (var files = Files.list(sent)) {
        stream = files.filter(file -> file.toString().endsWith(FileNames.STREAM)).findFirst().orElseThrow();
      }
      byte[] whole = Files.readAllBytes(stream);
      for (int at : new int[] {0, 9, 40, whole.length - 1}) {
        byte[] damaged = whole.clone();
        damaged[at] ^= 4;
        Files.write(stream, damaged);
        assertRefused(follower, stream);
      }
      Files.write(stream, java.util.Arrays.copyOf(whole, whole.length - 1));
      assertRefused(follower, stream);
      Files.delete(stream);
      assertRefused(follower, stream);
      followers.mixed(follower, 100, 100);
      followers.assertHeldBy(follower);
      Files.write(stream, whole);
      follower.install(sent);
      leaders.assertHeldBy(follower);
    }
  }

  private void assertRefused(RevisionLog follower, Path file) {
    assertThatThrownBy(() -> follower.install(sent)).isInstanceOf(StoreCorruptException.class).hasMessageContaining(file.getFileName().toString());
  }
}
