package io.kvorum.server.migrate;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Names, keys and simple values of what etcd 3.6 keeps in its file. Its numbers are big-endian. */
final class EtcdBuckets {
  static final String ALARM = "alarm";
  static final String AUTH = "auth";
  static final String AUTH_ROLES = "authRoles";
  static final String AUTH_USERS = "authUsers";
  static final String CLUSTER = "cluster";
  static final String KEY = "key";
  static final String LEASE = "lease";
  static final String MEMBERS = "members";
  static final String MEMBERS_REMOVED = "members_removed";
  static final String META = "meta";

  static final byte[] AUTH_ENABLED = ascii("authEnabled");
  static final byte[] AUTH_REVISION = ascii("authRevision");
  static final byte[] CLUSTER_VERSION = ascii("clusterVersion");
  static final byte[] CONSISTENT_INDEX = ascii("consistent_index");
  static final byte[] TERM = ascii("term");
  static final byte[] STORAGE_VERSION = ascii("storageVersion");
  static final byte[] SCHEDULED_COMPACTION = ascii("scheduledCompactRev");
  static final byte[] FINISHED_COMPACTION = ascii("finishedCompactRev");

  /** Bytes of a row's key; that of a deletion has one more, {@link #TOMBSTONE}. */
  static final int REVISION_BYTES = 17;

  static final byte TOMBSTONE = 't';

  private static final byte SEPARATOR = '_';
  private static final int SUB_OFFSET = 9;

  private EtcdBuckets() {}

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] number(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
  }

  static byte[] revision(long main, long sub, boolean tombstone) {
    ByteBuffer key = ByteBuffer.allocate(tombstone ? REVISION_BYTES + 1 : REVISION_BYTES);
    key.putLong(main).put(SEPARATOR).putLong(sub);
    if (tombstone) {
      key.put(TOMBSTONE);
    }
    return key.array();
  }

  /** Whether a row's key has the form of {@link #revision}. */
  static boolean isRevision(byte[] key) {
    boolean length = key.length == REVISION_BYTES || key.length == REVISION_BYTES + 1 && key[REVISION_BYTES] == TOMBSTONE;
    return length && key[Long.BYTES] == SEPARATOR && main(key) >= 0 && sub(key) >= 0;
  }

  static long main(byte[] key) {
    return ByteBuffer.wrap(key).getLong(0);
  }

  static long sub(byte[] key) {
    return ByteBuffer.wrap(key).getLong(SUB_OFFSET);
  }

  static boolean isTombstone(byte[] key) {
    return key.length > REVISION_BYTES;
  }
}
