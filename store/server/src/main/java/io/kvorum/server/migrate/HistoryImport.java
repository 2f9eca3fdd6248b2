package io.kvorum.server.migrate;

import io.kvorum.bbolt.RowSink;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.RevisionLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Appends the rows of etcd's history to a revision log, byte for byte, after looking at each: its key must be a revision, its value a pair of that revision. Rows that a compaction
 * should have removed go in too; the store drops them by its floor.
 *
 * <p>A row with an empty value only marks a revision (etcdutl writes one to bump it); it counts for the content hash, and no client ever sees it, because its key is empty.
 */
final class HistoryImport implements RowSink {
  private static final byte[] NOTHING = new byte[0];

  private final RevisionLog log;
  private final Progress progress;
  private long puts;
  private long deletions;
  private long lastMain;

  HistoryImport(RevisionLog log, Progress progress) {
    this.log = log;
    this.progress = progress;
  }

  @Override
  public void row(byte[] key, ByteBuffer value) throws IOException {
    if (!EtcdBuckets.isRevision(key) || EtcdBuckets.sub(key) > Integer.MAX_VALUE) {
      throw new RefusedFileException("a row of the history has a key that is no revision");
    }
    progress.advance(key.length + (long) value.remaining());
    byte[] encoded = new byte[value.remaining()];
    value.get(encoded);
    long main = EtcdBuckets.main(key);
    int sub = (int) EtcdBuckets.sub(key);
    if (encoded.length == 0 && !EtcdBuckets.isTombstone(key)) {
      mark(main, sub);
      return;
    }
    append(main, sub, EtcdBuckets.isTombstone(key), encoded);
  }

  /** A revision without a change. */
  void mark(long main, int sub) {
    log.append(main, sub, NOTHING, NOTHING, false, 0);
    lastMain = main;
  }

  private void append(long main, int sub, boolean tombstone, byte[] encoded) throws RefusedFileException {
    KeyValueCodec.Fields fields;
    try {
      fields = KeyValueCodec.parse(MemorySegment.ofArray(encoded));
    } catch (IllegalArgumentException damaged) {
      throw new RefusedFileException("revision " + main + "." + sub + ": " + damaged.getMessage());
    }
    if (fields.keyLength() == 0 || !tombstone && fields.modRevision() != main) {
      throw new RefusedFileException("revision " + main + "." + sub + " holds a pair of revision " + fields.modRevision() + " with a key of " + fields.keyLength() + " bytes");
    }
    byte[] key = new byte[fields.keyLength()];
    System.arraycopy(encoded, fields.keyOffset(), key, 0, key.length);
    if (tombstone) {
      log.append(main, sub, key, KeyValueCodec.tombstone(key, main), true, 0);
      deletions++;
    } else {
      log.append(main, sub, key, encoded, false, fields.lease());
      puts++;
    }
    lastMain = main;
  }

  long puts() {
    return puts;
  }

  long deletions() {
    return deletions;
  }

  /** Of the last row; 0 when there was none. */
  long lastMain() {
    return lastMain;
  }
}
