package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * The segments' files in the store's directory.
 *
 * <p>Sealing: (1) the map is closed, its unused tail cut off, the file forced; (2) the side file is written and forced; (3) both are renamed to their content name. A crash
 * before a manifest names them leaves rubbish, which the next start deletes; a full disk leaves the segment readable and unsealed, and sealing may be tried again.
 */
final class SegmentFiles {
  private static final System.Logger LOG = System.getLogger(SegmentFiles.class.getName());

  private final Path directory;
  private final Preallocation allocator = new Preallocation();
  private final FailPoint failPoint;
  private final boolean compareWithChronicle;
  private final Executor janitor;
  private final AtomicLong nextNumber;
  private volatile boolean keepFiles;

  /**
   * @param firstNumber above all numbers in use
   * @param janitor unmaps and deletes; readers never wait for it
   */
  SegmentFiles(Path directory, FailPoint failPoint, boolean compareWithChronicle, long firstNumber, Executor janitor) {
    this.directory = directory;
    this.failPoint = failPoint;
    this.compareWithChronicle = compareWithChronicle;
    this.nextNumber = new AtomicLong(firstNumber);
    this.janitor = janitor;
  }

  Path directory() {
    return directory;
  }

  FailPoint failPoint() {
    return failPoint;
  }

  /** From now on segments that nobody holds are unmapped, but their files stay. */
  void keepFiles() {
    keepFiles = true;
  }

  /** @throws NoSpaceException when the disk is full */
  ActiveSegment create(SegmentSize size) throws IOException {
    long number = nextNumber.getAndIncrement();
    Path path = directory.resolve("active-" + number + FileNames.DATA);
    return ActiveSegment.create(path, number, size, allocator, segment -> free(segment, path, null));
  }

  /**
   * Seals; see the class.
   *
   * @param between called between the steps of long work, to rest
   */
  Segment seal(ActiveSegment active, Runnable between) throws IOException {
    failPoint.reached(FailPoints.SEAL_BEFORE_FORCE);
    if (compareWithChronicle) {
      active.compareWithChronicle();
    }
    active.closeMap();
    Segment unsealed = active.segment();
    Path data = active.file().path();
    Path side = directory.resolve("active-" + active.number() + FileNames.SIDE + FileNames.TEMPORARY);
    long dataBytes = active.usedBytes();
    SideFileWriter.Written written = new SideFileWriter(active.table(), unsealed.bytes()).write(side, active.size(), active.mapBytes());
    RecordStream.Identity identity = new RecordStream(active.table(), unsealed.bytes()).identity(between);
    truncateAndForce(data, dataBytes);
    failPoint.reached(FailPoints.SEAL_AFTER_FORCE);
    SegmentInfo info =
        new SegmentInfo(
            identity.content(),
            active.number(),
            active.table().count(),
            active.payloadBytes(),
            dataBytes,
            written.bytes(),
            written.crc(),
            identity.bytes(),
            identity.crc());
    Files.move(side, directory.resolve(info.sideName()), StandardCopyOption.ATOMIC_MOVE);
    Files.move(data, directory.resolve(info.dataName()), StandardCopyOption.ATOMIC_MOVE);
    failPoint.reached(FailPoints.SEAL_AFTER_RENAME);
    return open(info);
  }

  private static void truncateAndForce(Path path, long bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.truncate(bytes);
      channel.force(true);
    }
  }

  /** Sends what was appended so far towards the disk, so that sealing has little left to force. */
  void forceEarly(ActiveSegment active) throws IOException {
    try (FileChannel channel = FileChannel.open(active.file().path(), StandardOpenOption.WRITE)) {
      channel.force(false);
    }
  }

  /**
   * Opens a sealed segment for reading. The side file's checksum is compared; record checksums are compared when records are rewritten, shipped or verified.
   *
   * @throws StoreCorruptException if a file is missing, too short or damaged
   */
  Segment open(SegmentInfo info) throws IOException {
    Path data = directory.resolve(info.dataName());
    Path side = directory.resolve(info.sideName());
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try {
      MemorySegment sideBytes = map(side, info.sideBytes(), arena);
      CRC32C crc = new CRC32C();
      crc.update(sideBytes.asByteBuffer());
      if ((int) crc.getValue() != info.sideCrc()) {
        throw new StoreCorruptException(side, "checksum mismatch");
      }
      SideFile table = new SideFile(sideBytes, side);
      if (table.count() != info.count()) {
        throw new StoreCorruptException(side, "holds " + table.count() + " records, the manifest says " + info.count());
      }
      MemorySegment bytes = map(data, info.dataBytes(), arena);
      opened = true;
      return new Segment(table, bytes, arena, info, segment -> free(segment, data, side));
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private static MemorySegment map(Path path, long bytes, Arena arena) throws IOException {
    if (!Files.exists(path)) {
      throw new StoreCorruptException(path, "the manifest names this file and it is missing");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      if (channel.size() != bytes) {
        throw new StoreCorruptException(path, "is " + channel.size() + " bytes long, the manifest says " + bytes);
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
    }
  }

  /** Gives up a file that was never used or whose content is not wanted. */
  void discard(ActiveSegment active) {
    active.closeMap();
    active.segment().release();
  }

  private void free(Segment segment, Path data, Path side) {
    Runnable work =
        () -> {
          segment.unmap();
          if (!keepFiles) {
            delete(data);
            if (side != null) {
              delete(side);
            }
          }
        };
    try {
      janitor.execute(work);
    } catch (RejectedExecutionException e) {
      work.run();
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // Rubbish, and the next start deletes it.
      LOG.log(System.Logger.Level.WARNING, "cannot delete " + path, e);
    }
  }

  /** Deletes what no manifest names. */
  void deleteRubbish(Set<String> named) {
    try (var files = Files.list(directory)) {
      files
          .filter(file -> FileNames.isOurs(file.getFileName().toString()) && !named.contains(file.getFileName().toString()))
          .forEach(SegmentFiles::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
