package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What is true: the facts of one checkpoint and the sealed segments that hold its history.
 *
 * <p>Format 1, big endian: magic, format, index, term, revision, compact revision, length and bytes of the machine state, number of segments and their facts, CRC-32C of
 * all before it.
 *
 * @param facts the checkpoint
 * @param segments in revision order
 */
record ManifestFile(RevisionLog.Manifest facts, List<SegmentInfo> segments) {
  private static final long MAGIC = 0x4b564d414e490001L;
  private static final int FORMAT = 1;
  private static final int CONTENT_BYTES = 16;

  /** What a directory holds before its first checkpoint. It tells a new store from one that lost its manifest. */
  static final ManifestFile EMPTY = new ManifestFile(new RevisionLog.Manifest(0, 0, 1, -1, new byte[0]), List.of());

  boolean isEmpty() {
    return facts.index() == 0 && facts.revision() <= 1 && segments.isEmpty() && facts.machineState().length == 0;
  }

  byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeLong(MAGIC);
      out.writeInt(FORMAT);
      out.writeLong(facts.index());
      out.writeLong(facts.term());
      out.writeLong(facts.revision());
      out.writeLong(facts.compactRevision());
      out.writeInt(facts.machineState().length);
      out.write(facts.machineState());
      out.writeInt(segments.size());
      for (SegmentInfo segment : segments) {
        out.write(HexFormat.of().parseHex(segment.content()));
        out.writeLong(segment.number());
        out.writeInt(segment.count());
        out.writeLong(segment.payloadBytes());
        out.writeLong(segment.dataBytes());
        out.writeLong(segment.sideBytes());
        out.writeInt(segment.sideCrc());
        out.writeLong(segment.streamBytes());
        out.writeInt(segment.streamCrc());
      }
      CRC32C crc = new CRC32C();
      crc.update(bytes.toByteArray());
      out.writeInt((int) crc.getValue());
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory", e);
    }
    return bytes.toByteArray();
  }

  /**
   * @param origin for messages
   * @throws StoreCorruptException if the bytes are damaged
   * @throws NewerFormatException if a newer version wrote them
   */
  static ManifestFile decode(byte[] bytes, Path origin) throws IOException {
    if (bytes.length < Long.BYTES + 2 * Integer.BYTES || ByteBuffer.wrap(bytes).getLong() != MAGIC) {
      throw new StoreCorruptException(origin, "not a manifest");
    }
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - Integer.BYTES);
    if ((int) crc.getValue() != ByteBuffer.wrap(bytes).getInt(bytes.length - Integer.BYTES)) {
      throw new StoreCorruptException(origin, "checksum mismatch");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes, 0, bytes.length - Integer.BYTES);
    in.getLong();
    int format = in.getInt();
    if (format > FORMAT) {
      throw new NewerFormatException(origin, format, FORMAT);
    }
    try {
      return decodeBody(in);
    } catch (BufferUnderflowException | NegativeArraySizeException e) {
      throw new StoreCorruptException(origin, "ends too early");
    }
  }

  private static ManifestFile decodeBody(ByteBuffer in) {
    long index = in.getLong();
    long term = in.getLong();
    long revision = in.getLong();
    long compactRevision = in.getLong();
    byte[] machineState = new byte[in.getInt()];
    in.get(machineState);
    List<SegmentInfo> segments = new ArrayList<>();
    byte[] content = new byte[CONTENT_BYTES];
    for (int left = in.getInt(); left > 0; left--) {
      in.get(content);
      segments.add(
          new SegmentInfo(
              HexFormat.of().formatHex(content),
              in.getLong(),
              in.getInt(),
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getInt(),
              in.getLong(),
              in.getInt()));
    }
    return new ManifestFile(new RevisionLog.Manifest(index, term, revision, compactRevision, machineState), List.copyOf(segments));
  }

  /** The manifest of a directory, null if there is none. */
  static ManifestFile read(Path directory) throws IOException {
    Path path = directory.resolve(FileNames.MANIFEST);
    return Files.exists(path) ? decode(Files.readAllBytes(path), path) : null;
  }

  /**
   * Replaces the directory's manifest: fsync of the directory (the segments' names), temporary file, fsync, rename, fsync of the directory. Durable when it returns.
   */
  void write(Path directory, FailPoint failPoint) throws IOException {
    failPoint.reached(FailPoints.MANIFEST_BEFORE_WRITE);
    syncDirectory(directory);
    Path temporary = directory.resolve(FileNames.MANIFEST + FileNames.TEMPORARY);
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(encode());
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    } catch (IOException e) {
      throw NoSpaceException.from(e);
    }
    failPoint.reached(FailPoints.MANIFEST_BEFORE_RENAME);
    Files.move(temporary, directory.resolve(FileNames.MANIFEST), StandardCopyOption.ATOMIC_MOVE);
    failPoint.reached(FailPoints.MANIFEST_BEFORE_DIRECTORY_SYNC);
    syncDirectory(directory);
    failPoint.reached(FailPoints.MANIFEST_AFTER_DIRECTORY_SYNC);
  }

  /** Makes creations and renames in a directory durable. */
  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
