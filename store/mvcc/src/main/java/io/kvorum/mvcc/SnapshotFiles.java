package io.kvorum.mvcc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** The files of one checkpoint, pinned: they stay readable until closed whatever compaction does. */
public interface SnapshotFiles extends AutoCloseable {
  MvccStore.Checkpoint checkpoint();

  /** The manifest and the sealed segments, with their side files. */
  List<Entry> entries();

  /**
   * Reads bytes of one file.
   *
   * @return bytes read, -1 at the end
   */
  int read(String name, long offset, ByteBuffer into) throws IOException;

  @Override
  void close();

  /**
   * @param name by content: equal names mean equal bytes
   * @param length bytes
   * @param crc32c checksum of the bytes as shipped
   */
  record Entry(String name, long length, int crc32c) {}
}
