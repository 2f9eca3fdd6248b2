package io.kvorum.mvcc.store;

import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.index.RevisionCursor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * etcd's HashKV over the rows that logically survive compaction, whatever is still stored.
 *
 * <ol>
 *   <li>keep = for each key its newest row at or below the hashed revision q, if that is a put; nothing of a key that was deleted at q and put again at q.
 *   <li>CRC-32C over the bytes "key", then over each row up to q in revision order: all rows above the floor C; of those at or below C only kept ones.
 *   <li>If keep is empty (every key is deleted by q), the puts that survive compaction at C are hashed instead, as etcd does.
 *   <li>A row is its key (8 bytes main, '_', 8 bytes sub, for a tombstone 't'), then its stored value; etcd's tombstone holds the key alone.
 * </ol>
 */
final class Hasher {
  private static final byte[] BUCKET = "key".getBytes(StandardCharsets.US_ASCII);
  private static final int ROW_KEY_BYTES = 17;

  private final StoreView view;
  private final CRC32C crc = new CRC32C();
  private final ByteBuffer rowKey = ByteBuffer.allocate(ROW_KEY_BYTES + 1);
  private final RevisionCursor at = new RevisionCursor();

  Hasher(StoreView view) {
    this.view = view;
  }

  /**
   * @param revision at or above the floor; a negative one hashes no rows
   */
  ReadView.HashResult hash(long revision) {
    crc.update(BUCKET);
    if (revision > 0) {
      Set<ByteBuffer> again = deletedAndPutAgain(revision);
      boolean keepEmpty = view.index().count(null, null, revision) == again.size();
      view.log()
          .forEach(
              0,
              revision,
              record -> {
                if (record.main() > view.floor()
                    || (keepEmpty ? isNewest(record, view.floor()) : isNewest(record, revision) && !again.contains(ByteBuffer.wrap(record.key())))) {
                  feed(record);
                }
                return true;
              });
    }
    return new ReadView.HashResult((int) crc.getValue(), view.floor(), revision);
  }

  /** The keys that exist at this revision although it deleted them. */
  private Set<ByteBuffer> deletedAndPutAgain(long revision) {
    Set<ByteBuffer> keys = new HashSet<>();
    view.log()
        .forEach(
            revision,
            revision,
            record -> {
              if (record.tombstone() && view.index().find(record.key(), revision, at) && !at.tombstone()) {
                keys.add(ByteBuffer.wrap(record.key()));
              }
              return true;
            });
    return keys;
  }

  private boolean isNewest(Record record, long asOf) {
    return !record.tombstone()
        && view.index().find(record.key(), asOf, at)
        && at.main() == record.main()
        && at.sub() == record.sub();
  }

  private void feed(Record record) {
    rowKey.clear().putLong(record.main()).put((byte) '_').putLong(record.sub());
    if (record.tombstone()) {
      rowKey.put((byte) 't');
    }
    crc.update(rowKey.array(), 0, rowKey.position());
    crc.update(KeyValueCodec.row(record).asByteBuffer());
  }
}
