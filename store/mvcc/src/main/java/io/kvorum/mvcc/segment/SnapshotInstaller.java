package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Turns received snapshot files into the durable state.
 *
 * <p>(1) The received manifest is read. (2) Each segment that it names is taken from what is here by content, or rebuilt from its records stream and sealed; its
 * content name must come out as promised. (3) A manifest with the local files is written: from here on a restart finds the new state, before it the old one, and what
 * was rebuilt so far is rubbish.
 */
final class SnapshotInstaller {
  private static final long BLOCK_BYTES = 1 << 20;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final SegmentFiles files;

  SnapshotInstaller(SegmentFiles files) {
    this.files = files;
  }

  /**
   * @param received the directory with the manifest and the streams that are not here
   * @param here sealed segments by content; the caller keeps them alive
   * @return what is durable now, with references for the caller
   * @throws StoreCorruptException if a file is missing or does not match
   */
  Checkpointer.Durable install(Path received, Map<String, Segment> here) throws IOException {
    ManifestFile offered = readManifest(received);
    List<Segment> segments = new ArrayList<>();
    boolean installed = false;
    try {
      for (SegmentInfo info : offered.segments()) {
        Segment known = here.get(info.content());
        segments.add(known != null ? known.retain() : rebuild(received.resolve(info.streamName()), info));
        files.failPoint().reached(FailPoints.INSTALL_SEGMENT);
      }
      files.failPoint().reached(FailPoints.INSTALL_BEFORE_MANIFEST);
      ManifestFile manifest = new ManifestFile(offered.facts(), segments.stream().map(Segment::info).toList());
      manifest.write(files.directory(), files.failPoint());
      installed = true;
      files.failPoint().reached(FailPoints.INSTALL_AFTER_MANIFEST);
      return new Checkpointer.Durable(manifest, segments);
    } finally {
      if (!installed) {
        segments.forEach(Segment::release);
      }
    }
  }

  private static ManifestFile readManifest(Path received) throws IOException {
    try (var content = Files.list(received)) {
      List<Path> manifests = content.filter(file -> file.getFileName().toString().startsWith(FileNames.SHIPPED_MANIFEST)).toList();
      if (manifests.size() != 1) {
        throw new StoreCorruptException(received, "holds " + manifests.size() + " manifests, not one");
      }
      return ManifestFile.decode(Files.readAllBytes(manifests.getFirst()), manifests.getFirst());
    }
  }

  private Segment rebuild(Path stream, SegmentInfo info) throws IOException {
    if (!Files.exists(stream)) {
      throw new StoreCorruptException(stream, "the received manifest names this file and it is missing");
    }
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(stream, StandardOpenOption.READ)) {
      if (channel.size() != info.streamBytes()) {
        throw new StoreCorruptException(stream, "is " + channel.size() + " bytes long, the received manifest says " + info.streamBytes());
      }
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      requireChecksum(stream, bytes, info.streamCrc());
      Segment rebuilt = rebuild(stream, bytes);
      if (!rebuilt.info().content().equals(info.content())) {
        rebuilt.release();
        throw new StoreCorruptException(stream, "its content is " + rebuilt.info().content());
      }
      return rebuilt;
    }
  }

  private static void requireChecksum(Path stream, MemorySegment bytes, int expected) throws StoreCorruptException {
    CRC32C crc = new CRC32C();
    for (long at = 0; at < bytes.byteSize(); at += BLOCK_BYTES) {
      crc.update(bytes.asSlice(at, Math.min(BLOCK_BYTES, bytes.byteSize() - at)).asByteBuffer());
    }
    if ((int) crc.getValue() != expected) {
      throw new StoreCorruptException(stream, "checksum mismatch");
    }
  }

  private Segment rebuild(Path stream, MemorySegment bytes) throws IOException {
    int count = header(stream, bytes);
    long chunks = 0;
    for (int i = 0; i < count; i++) {
      chunks += ChunkBudget.chunksOf(bytes.get(INT, row(i) + 20) & Integer.MAX_VALUE);
    }
    ActiveSegment target = files.create(SegmentSize.exact(chunks, count));
    try {
      RecordCheck check = new RecordCheck();
      long payload = row(count);
      for (int i = 0; i < count; i++) {
        int length = bytes.get(INT, row(i) + 20);
        byte[] encoded = check.read(bytes, payload, length & Integer.MAX_VALUE);
        payload += length & Integer.MAX_VALUE;
        if (!check.matches(length & Integer.MAX_VALUE, bytes.get(INT, row(i) + 24))) {
          throw new StoreCorruptException(stream, "checksum mismatch of record " + i);
        }
        target.append(
            bytes.get(LONG, row(i)), bytes.get(INT, row(i) + 16), encoded, length & Integer.MAX_VALUE, length < 0, bytes.get(LONG, row(i) + 8));
      }
      return files.seal(target, () -> {});
    } finally {
      files.discard(target);
    }
  }

  private static int header(Path stream, MemorySegment bytes) throws IOException {
    if (bytes.byteSize() < RecordStream.HEADER_BYTES || bytes.get(LONG, 0) != RecordStream.MAGIC) {
      throw new StoreCorruptException(stream, "not a records stream");
    }
    if (bytes.get(INT, 8) > RecordStream.FORMAT) {
      throw new NewerFormatException(stream, bytes.get(INT, 8), RecordStream.FORMAT);
    }
    int count = bytes.get(INT, 12);
    if (count < 1 || row(count) + bytes.get(LONG, 16) != bytes.byteSize()) {
      throw new StoreCorruptException(stream, "the header contradicts the length of the file");
    }
    return count;
  }

  private static long row(int position) {
    return RecordStream.HEADER_BYTES + (long) RecordStream.ROW_BYTES * position;
  }
}
