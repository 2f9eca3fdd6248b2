package io.kvorum.raft.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One open file. Positions are absolute; reading beside writing is allowed. */
public interface DiskFile extends Closeable {
  long size() throws IOException;

  /** Writes all remaining bytes at {@code position}. Durable after {@link #force}. */
  void write(ByteBuffer bytes, long position) throws IOException;

  /** Reads until {@code into} is full or the file ends; returns the number of bytes read. */
  int read(ByteBuffer into, long position) throws IOException;

  /** Makes all bytes written so far durable (and the size, if it changed). */
  void force() throws IOException;
}
