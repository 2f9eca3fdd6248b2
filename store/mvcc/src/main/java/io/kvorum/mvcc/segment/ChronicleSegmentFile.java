package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import net.openhft.chronicle.hash.impl.BigSegmentHeader;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;
import net.openhft.chronicle.map.VanillaChronicleMap;
import net.openhft.posix.internal.PosixAPIHolder;

/**
 * The one class that knows Chronicle Map: a file that takes records under (main, sub) until its budget is used up, and tells where in the file each one lies, so
 * that readers need no map. The map is never iterated, never resized, never opened again for writing.
 */
final class ChronicleSegmentFile implements AutoCloseable {
  private final Path path;
  private final ChronicleMap<byte[], ChronicleValue> map;
  private final ChunkBudget budget;
  private final long baseAddress;
  private final byte[] key = new byte[16];
  private final ByteBuffer keyBuffer = ByteBuffer.wrap(key);
  private final ChronicleValue value = new ChronicleValue();

  private ChronicleSegmentFile(Path path, ChronicleMap<byte[], ChronicleValue> map, ChunkBudget budget) {
    this.path = path;
    this.map = map;
    this.budget = budget;
    this.baseAddress = ((VanillaChronicleMap<?, ?, ?>) map).bsAddress();
  }

  /**
   * Creates a file with all of its blocks on disk.
   *
   * @throws NoSpaceException when the disk is full; no file is left
   */
  static ChronicleSegmentFile create(Path path, SegmentSize size, Preallocation allocator) throws IOException {
    return create(path, size, new ChunkBudget(size.chunks(), size.entries()), allocator);
  }

  /** Without a budget, to see what Chronicle itself refuses. */
  static ChronicleSegmentFile createUnchecked(Path path, SegmentSize size, Preallocation allocator) throws IOException {
    return create(path, size, new ChunkBudget(Long.MAX_VALUE, Long.MAX_VALUE), allocator);
  }

  private static ChronicleSegmentFile create(Path path, SegmentSize size, ChunkBudget budget, Preallocation allocator) throws IOException {
    ChronicleMap<byte[], ChronicleValue> map = null;
    boolean created = false;
    try {
      Files.createFile(path);
      // Before Chronicle touches it: it writes its header through a mapping, and a hole on a full disk would be a fault there.
      allocator.allocate(path, size.fileBytesEstimate());
      map = open(path, size);
      allocator.allocateExisting(path);
      created = true;
      return new ChronicleSegmentFile(path, map, budget);
    } catch (InternalError fault) {
      throw new NoSpaceException("fault while creating " + path.getFileName() + ": " + fault.getMessage());
    } catch (IOException e) {
      throw NoSpaceException.from(e);
    } finally {
      if (!created) {
        if (map != null) {
          map.close();
        }
        Files.deleteIfExists(path);
      }
    }
  }

  /** Opens a copy of a sealed file (never the file itself: Chronicle writes lock words even to read) for reading through Chronicle. */
  static ChronicleSegmentFile openCopy(Path copy, SegmentSize size) throws IOException {
    ChronicleMap<byte[], ChronicleValue> map = open(copy, size);
    BigSegmentHeader.INSTANCE.resetLock(((VanillaChronicleMap<?, ?, ?>) map).segmentHeaderAddress(0));
    return new ChronicleSegmentFile(copy, map, new ChunkBudget(0, 0));
  }

  private static ChronicleMap<byte[], ChronicleValue> open(Path path, SegmentSize size) throws IOException {
    // Blocks and forcing are ours (Preallocation, FileChannel), so Chronicle's native library, which generates code at run time, stays out.
    PosixAPIHolder.useNoOpPosixApi();
    return ChronicleMapBuilder.of(byte[].class, ChronicleValue.class)
        .valueMarshaller(ChronicleValue.Marshaller.INSTANCE)
        .constantKeySizeBySample(new byte[16])
        .averageValueSize(300)
        .entries(size.entries())
        .actualSegments(1)
        .entriesPerSegment(size.entries())
        .actualChunkSize(ChunkBudget.CHUNK_BYTES)
        .actualChunksPerSegmentTier(size.chunks())
        .maxBloatFactor(1)
        .allowSegmentTiering(false)
        .checksumEntries(true)
        .putReturnsNull(true)
        .removeReturnsNull(true)
        .skipCloseOnExitHook(true)
        .sparseFile(true)
        .createPersistedTo(path.toFile());
  }

  Path path() {
    return path;
  }

  boolean fits(int valueBytes) {
    return budget.fits(valueBytes);
  }

  double fill() {
    return budget.fill();
  }

  double chunksPerRecord() {
    return budget.entriesUsed() == 0 ? SegmentSize.CHUNKS_PER_RECORD_GUESS : (double) budget.chunksUsed() / budget.entriesUsed();
  }

  /**
   * Stores a record; the caller has asked {@link #fits}.
   *
   * @return where the bytes lie in the file
   */
  long put(long main, int sub, byte[] source, int offset, int length) {
    budget.take(length);
    value.source = source;
    value.offset = offset;
    value.length = length;
    map.put(key(main, sub), value);
    value.source = null;
    return value.address - baseAddress;
  }

  /**
   * The reference path: whether Chronicle's own look-up gives exactly these bytes.
   *
   * @param expected what the offset table points at
   */
  boolean holds(long main, int sub, MemorySegment expected) {
    ChronicleValue found = map.getUsing(key(main, sub), new ChronicleValue());
    return found != null
        && found.length == expected.byteSize()
        && MemorySegment.ofAddress(found.address).reinterpret(found.length).mismatch(expected) < 0;
  }

  private byte[] key(long main, int sub) {
    keyBuffer.putLong(0, main).putLong(8, sub);
    return key;
  }

  /** Unmaps. What was put is in the page cache; force the file to make it durable. */
  @Override
  public void close() {
    map.close();
  }
}
