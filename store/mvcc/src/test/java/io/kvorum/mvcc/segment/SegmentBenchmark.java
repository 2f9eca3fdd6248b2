package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;

/**
 * Figures for append, read, checkpoint and open; run by hand with a directory on the disk in question: prints one line each. The first rounds warm up, the last
 * one counts.
 */
public final class SegmentBenchmark {
  private static final int ROUNDS = 5;
  private static final int RECORDS = 200_000;
  private static final int VALUE_BYTES = 256;
  private static final int BATCH = 32;

  private SegmentBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    long main = 1;
    try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory, MvccOptions.DEFAULT)) {
      for (int round = 0; round < ROUNDS; round++) {
        main = round(log, main);
        read(log, main);
      }
      main = round(log, main);
      long begun = System.nanoTime();
      log.checkpoint(new RevisionLog.Manifest(main, 1, main, -1, new byte[100]));
      System.out.printf("checkpoint at once after 64 MiB: %.1f ms%n", (System.nanoTime() - begun) / 1e6);
      for (int i = 0; i < 50; i++) {
        for (int j = 0; j < 4_000; j++) {
          main++;
          log.append(main, 0, key(main), encoded(main), false, 0);
        }
        log.checkpoint(new RevisionLog.Manifest(main, 1, main, -1, new byte[100]));
      }
    }
    for (int round = 0; round < 3; round++) {
      long begun = System.nanoTime();
      try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory, MvccOptions.DEFAULT)) {
        long opened = System.nanoTime();
        long[] keys = {0};
        try (RevisionLog.View view = log.view()) {
          view.forEachKey((key, revision, sub, tombstone, lease) -> keys[0]++);
        }
        System.out.printf(
            "open: %.1f ms, all %d keys in order: %.1f ms, %.0f MiB%n",
            (opened - begun) / 1e6, keys[0], (System.nanoTime() - opened) / 1e6, log.sizeBytes() / 1048576.0);
      }
    }
  }

  /** Of this thread: the machine may be busy with other things. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static byte[] key(long main) {
    return ("/registry/pods/default/pod-" + main % 100_000).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] encoded(long main) {
    return KeyValueCodec.put(key(main), main, main, 1, new byte[VALUE_BYTES], 0);
  }

  /** Appends as a server does, asking for a checkpoint after every batch. */
  private static long round(RevisionLog log, long from) throws Exception {
    long main = from;
    long longest = 0;
    long longestCheckpoint = 0;
    long inCheckpoints = 0;
    int checkpoints = 0;
    long start = System.nanoTime();
    long cpu = cpuNanos();
    for (int i = 0; i < RECORDS; i++) {
      main++;
      byte[] key = key(main);
      byte[] encoded = encoded(main);
      long begun = System.nanoTime();
      log.append(main, 0, key, encoded, false, 0);
      longest = Math.max(longest, System.nanoTime() - begun);
      if (i % BATCH == 0 && log.wantsCheckpoint()) {
        long asked = System.nanoTime();
        log.checkpoint(new RevisionLog.Manifest(main, 1, main, -1, new byte[100]));
        longestCheckpoint = Math.max(longestCheckpoint, System.nanoTime() - asked);
        inCheckpoints += System.nanoTime() - asked;
        checkpoints++;
      }
    }
    System.out.printf(
        "append: %.0f records/s, %.2f us CPU each, longest %.1f ms; %d checkpoints, longest %.1f ms%n",
        RECORDS * 1e9 / (System.nanoTime() - start - inCheckpoints), (cpuNanos() - cpu) / 1e3 / RECORDS, longest / 1e6, checkpoints, longestCheckpoint / 1e6);
    return main;
  }

  private static void read(RevisionLog log, long newest) {
    Random random = new Random(1);
    long sum = 0;
    try (RevisionLog.View view = log.view()) {
      long begun = cpuNanos();
      for (int i = 0; i < RECORDS; i++) {
        Record record = view.find(2 + (long) (random.nextDouble() * (newest - 1)), 0);
        sum += record.bytes().get(ValueLayout.JAVA_BYTE, record.length() - 1);
      }
      System.out.printf("random read: %.3f us CPU (%d)%n", (cpuNanos() - begun) / 1e3 / RECORDS, sum);
    }
  }
}
