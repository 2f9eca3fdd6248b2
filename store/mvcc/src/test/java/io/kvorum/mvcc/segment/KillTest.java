package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 while maps are open, segments are sealed and rewritten and manifests written: the last reported checkpoint is there, whole. */
@Timeout(120)
class KillTest {
  private static final int KILLS = 3;
  private static final int CHECKPOINTS_PER_LIFE = 6;

  @TempDir Path directory;

  static byte[] key(long main) {
    return ByteBuffer.allocate(8).putLong(main % 1_000).array();
  }

  static byte[] encoded(long main) {
    byte[] value = new byte[(int) (main * 7919 % 1_500)];
    java.util.Arrays.fill(value, (byte) main);
    return KeyValueCodec.put(key(main), main, main, 1, value, 0);
  }

  /** Every tenth revision is never dropped. */
  static boolean lives(long main) {
    return main % 10 == 0;
  }

  /** Appends, rewrites and takes checkpoints until it is killed. */
  public static final class Child {
    public static void main(String[] arguments) throws Exception {
      try (RevisionLog log = SegmentedRevisionLog.open(Path.of(arguments[0]), new MvccOptions(0, false, FailPoint.NONE))) {
        long main = log.manifest() == null ? 1 : log.manifest().revision();
        CompletableFuture<Void> rewrite = CompletableFuture.completedFuture(null);
        for (int round = 1; ; round++) {
          for (int i = 0; i < 700; i++) {
            main++;
            log.append(main, 0, key(main), encoded(main), false, 0);
          }
          if (rewrite.isDone()) {
            rewrite = log.rewrite((key, revision, sub) -> lives(revision), round % 2 == 0);
          }
          log.checkpoint(new RevisionLog.Manifest(main, 1, main, -1, new byte[0]));
          System.out.println("durable " + main);
        }
      }
    }
  }

  @Test
  void theLastReportedCheckpointIsWholeAfterEachKill() throws Exception {
    for (int life = 0; life < KILLS; life++) {
      long durable = 0;
      try (ChildJvm child = new ChildJvm(List.of("-Xmx256m"), Child.class, directory.toString())) {
        for (int i = 0; i < CHECKPOINTS_PER_LIFE; i++) {
          durable = Long.parseLong(child.await("durable "));
        }
        // Somewhere in the middle of what follows a checkpoint.
        Thread.sleep(life * 7L);
        child.kill();
      }
      try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory, MvccOptions.DEFAULT)) {
        assertThat(log.manifest().revision()).isGreaterThanOrEqualTo(durable);
        assertWhole(log);
        assertThat(log.verify(true)).isPositive();
      }
    }
  }

  private static void assertWhole(RevisionLog log) {
    long newest = log.manifest().revision();
    try (RevisionLog.View view = log.view()) {
      for (long main = 2; main <= newest; main++) {
        Record record = view.find(main, 0);
        if (record != null || lives(main)) {
          assertThat(record).as("revision %d", main).isNotNull();
          assertThat(record.toByteArray()).isEqualTo(encoded(main));
        }
      }
      assertThat(view.find(newest + 1, 0)).isNull();
    }
  }
}
