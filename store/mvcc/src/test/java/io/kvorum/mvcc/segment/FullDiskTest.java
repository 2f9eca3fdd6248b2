package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system of 24 MiB (tmpfs). Mounting needs root; without it this test fails and says so. */
@Timeout(60)
class FullDiskTest {
  private static final int DISK_MIB = 24;
  private static final long RESERVE_BYTES = 4L << 20;

  @TempDir Path directory;
  private Path disk;

  @BeforeEach
  void mount() throws Exception {
    disk = Files.createDirectories(directory.resolve("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=" + DISK_MIB + "m", "kvorum-test", disk.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", "-l", disk.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as("'%s' (this test needs root): %s", String.join(" ", command), said).isZero();
  }

  private RevisionLog open() throws IOException {
    return SegmentedRevisionLog.open(disk.resolve("store"), new MvccOptions(RESERVE_BYTES, true, FailPoint.NONE));
  }

  private void fill() throws IOException {
    try (FileChannel filler = FileChannel.open(disk.resolve("filler"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer block = ByteBuffer.allocate(4 << 10);
      assertThatThrownBy(
              () -> {
                while (true) {
                  filler.write(block.clear());
                }
              })
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void lowSpaceIsToldAheadAndTheReserveStillTakesDeletesAndAllGoesOnAfterSpaceReturns() throws Exception {
    History history = new History(1);
    try (RevisionLog log = open()) {
      history.mixed(log, 200, 300);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      assertThat(log.spaceLow()).isFalse();
      long before = log.sizeBytes();
      fill();
      awaitLow(log, true);
      // The active file and the reserve are allocated already: small records still go in.
      int deletes = 0;
      UncheckedIOException refused = null;
      while (refused == null) {
        try {
          history.delete(log, "/registry/pods/" + deletes++);
        } catch (UncheckedIOException e) {
          refused = e;
        }
      }
      assertThat(refused).hasCauseInstanceOf(NoSpaceException.class);
      assertThat(deletes).isGreaterThan(1_000);
      assertThat(log.sizeBytes()).isGreaterThan(before);
      history.assertHeldBy(log);
      assertThatThrownBy(() -> log.checkpoint(SegmentedRevisionLogTest.facts(history))).isInstanceOf(NoSpaceException.class);
      history.assertHeldBy(log);
      assertThatThrownBy(() -> history.delete(log, "again")).isInstanceOf(UncheckedIOException.class);

      Files.delete(disk.resolve("filler"));
      history.mixed(log, 2_000, 300);
      awaitLow(log, false);
      log.checkpoint(SegmentedRevisionLogTest.facts(history));
      history.assertHeldBy(log);
    }
    try (RevisionLog log = open()) {
      history.assertHeldBy(log);
    }
  }

  @Test
  void aDiskThatFillsUpByItselfRefusesCleanlyAndKeepsWhatIsDurable() throws Exception {
    History history = new History(2);
    int durable = 0;
    boolean toldAhead = false;
    try (RevisionLog log = open()) {
      UncheckedIOException refused = null;
      while (refused == null) {
        try {
          history.mixed(log, 100, 2_000);
          toldAhead |= log.spaceLow();
          if (!toldAhead) {
            log.checkpoint(SegmentedRevisionLogTest.facts(history));
            durable = history.rows().size();
          }
        } catch (UncheckedIOException e) {
          refused = e;
        }
      }
      assertThat(toldAhead).as("spaceLow before the first refusal").isTrue();
      history.assertHeldBy(log);
    }
    try (RevisionLog log = open()) {
      history.prefix(durable).assertHeldBy(log);
    }
  }

  private static void awaitLow(RevisionLog log, boolean low) throws InterruptedException {
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (log.spaceLow() != low && System.nanoTime() < deadline) {
      Thread.sleep(10);
    }
    assertThat(log.spaceLow()).isEqualTo(low);
  }
}
