package io.kvorum.raft.log;

import io.kvorum.raft.FailPoint;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * How a {@link SegmentedLog} uses the disk.
 *
 * @param firstSegmentBytes size of the first file; each next one is four times as large until {@code segmentBytes}. From 4 KiB
 * @param segmentBytes size of a file; a larger entry gets a file of its own size. At most 1 GiB
 * @param cacheBytes newest entries kept in memory, counted by {@link io.kvorum.raft.Entry#sizeBytes}; what is not written yet is kept beyond it
 * @param maxFilesBehind files whose entries are all covered by a checkpoint that are kept (etcd's --max-wals); 0 keeps all
 * @param keepEntries entries behind a checkpoint that remain readable for slow followers, as far as their files are kept
 * @param heldFiles files behind a checkpoint that a {@link LogHolds} may keep
 * @param disk where the files are
 * @param failPoint called at each durable boundary: {@code raft.log.before-write}, {@code raft.log.before-sync}, {@code raft.log.after-sync},
 *     {@code raft.log.before-roll}, {@code raft.log.before-rename}, {@code raft.log.after-roll}, {@code raft.log.before-delete}, {@code
 *     raft.log.after-reset}
 * @param observer told of each force, for metrics
 * @param identities source of the random number that marks each use of a file, so that what an earlier use left in it never counts
 */
public record LogOptions(
    int firstSegmentBytes,
    int segmentBytes,
    long cacheBytes,
    int maxFilesBehind,
    long keepEntries,
    int heldFiles,
    Disk disk,
    FailPoint failPoint,
    LongSupplier identities,
    SyncObserver observer) {
  private static final int HELD_FILES = 8;

  public LogOptions {
    if (firstSegmentBytes < 4096 || segmentBytes < firstSegmentBytes || segmentBytes > 1 << 30) {
      throw new IllegalArgumentException("segment sizes out of range: first " + firstSegmentBytes + ", then " + segmentBytes);
    }
    if (cacheBytes < 0 || maxFilesBehind < 0 || keepEntries < 0 || heldFiles < 0) {
      throw new IllegalArgumentException("negative bound");
    }
  }

  /** 256 KiB growing to 64 MiB, 16 MiB of cache, 5 files and 10,000 entries behind a checkpoint, 8 files when they are held, the real file system. */
  public static LogOptions defaults() {
    return new LogOptions(256 << 10, 64 << 20, 16 << 20, 5, 10_000, HELD_FILES, new FileDisk(), FailPoint.NONE, () -> ThreadLocalRandom.current().nextLong(), SyncObserver.NONE);
  }

  public LogOptions withSegmentBytes(int first, int normal) {
    return new LogOptions(first, normal, cacheBytes, maxFilesBehind, keepEntries, heldFiles, disk, failPoint, identities, observer);
  }

  public LogOptions withCacheBytes(long bytes) {
    return new LogOptions(firstSegmentBytes, segmentBytes, bytes, maxFilesBehind, keepEntries, heldFiles, disk, failPoint, identities, observer);
  }

  public LogOptions withRetention(int files, long entries) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, files, entries, heldFiles, disk, failPoint, identities, observer);
  }

  public LogOptions withHeldFiles(int files) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, maxFilesBehind, keepEntries, files, disk, failPoint, identities, observer);
  }

  public LogOptions withDisk(Disk other) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, maxFilesBehind, keepEntries, heldFiles, other, failPoint, identities, observer);
  }

  public LogOptions withFailPoint(FailPoint other) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, maxFilesBehind, keepEntries, heldFiles, disk, other, identities, observer);
  }

  public LogOptions withObserver(SyncObserver other) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, maxFilesBehind, keepEntries, heldFiles, disk, failPoint, identities, other);
  }

  public LogOptions withIdentities(LongSupplier other) {
    return new LogOptions(firstSegmentBytes, segmentBytes, cacheBytes, maxFilesBehind, keepEntries, heldFiles, disk, failPoint, other, observer);
  }
}
