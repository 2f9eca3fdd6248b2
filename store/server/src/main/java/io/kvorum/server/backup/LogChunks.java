package io.kvorum.server.backup;

import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.protocol.v1.BackupLogEntry;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * A piece of the committed log as an object: magic and format (4 bytes each, big endian), then the entries ({@code kvorum.v1.BackupLogEntry}), each behind its length as a varint. The same
 * entries give the same bytes.
 */
final class LogChunks {
  /** A chunk ends with the entry that makes it this large, or with its 65,536th. */
  static final int BYTES = 8 << 20;

  static final int ENTRIES = 65_536;
  private static final int MAGIC = 0x4b564c43; // "KVLC"
  private static final int FORMAT = 1;

  private LogChunks() {}

  /** One that is being filled. */
  static final class Filling {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int entries;
    long firstIndex;
    long lastIndex;
    long firstMillis;
    long lastMillis;

    Filling() throws IOException {
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeInt(MAGIC);
      out.writeInt(FORMAT);
    }

    /** @param timeMillis of the entry, or of the one before it when it has none */
    void add(BackupLogEntry entry, long timeMillis) throws IOException {
      entry.writeDelimitedTo(bytes);
      if (entries++ == 0) {
        firstIndex = entry.getIndex();
        firstMillis = timeMillis;
      }
      lastIndex = entry.getIndex();
      lastMillis = timeMillis;
    }

    boolean full() {
      return bytes.size() >= BYTES || entries >= ENTRIES;
    }

    byte[] content() {
      return bytes.toByteArray();
    }
  }

  /** Sees one entry. */
  @FunctionalInterface
  interface Visitor {
    /** @return whether to go on */
    boolean visit(Entry entry) throws IOException;
  }

  /**
   * Reads a chunk.
   *
   * @return false when the visitor ended it
   * @throws IOException also when it is none
   */
  static boolean read(InputStream in, Visitor visitor) throws IOException {
    DataInputStream head = new DataInputStream(in);
    try {
      if (head.readInt() != MAGIC) {
        throw new IOException("not a chunk of a log");
      }
      int format = head.readInt();
      if (format > FORMAT) {
        throw new IOException("a chunk of a log in format " + format + "; this version understands up to " + FORMAT);
      }
    } catch (EOFException e) {
      throw new IOException("a chunk of a log that ends too early", e);
    }
    while (true) {
      BackupLogEntry entry;
      try {
        entry = BackupLogEntry.parseDelimitedFrom(in);
      } catch (InvalidProtocolBufferException e) {
        throw e.getCause() instanceof IOException io ? io : new IOException("a damaged chunk of a log", e);
      }
      if (entry == null) {
        return true;
      }
      EntryType[] types = EntryType.values();
      if (entry.getType() >= types.length) {
        throw new IOException("a chunk of a log holds an entry of type " + entry.getType());
      }
      if (!visitor.visit(new Entry(entry.getTerm(), entry.getIndex(), types[entry.getType()], entry.getTimeMillis(), entry.getData().toByteArray()))) {
        return false;
      }
    }
  }
}
