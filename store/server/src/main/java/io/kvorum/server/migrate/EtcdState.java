package io.kvorum.server.migrate;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.bbolt.BoltReader;
import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.protocol.leasepb.Lease;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an etcd file holds beside the history. Members, alarms, log index and term are another cluster's and are not looked at.
 *
 * @param auth users, roles and whether they count
 * @param leases by id, unsigned
 * @param compactRevision what was, or was about to be, compacted when the file was written; -1 for never
 * @param storageVersion as written, empty when missing
 */
record EtcdState(StoredAuth auth, List<StoredLease> leases, long compactRevision, String storageVersion) {
  private static final Pattern VERSION = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})\\..*");
  private static final int MAJOR = 3;
  private static final int MINOR = 6;

  /**
   * Reads all but the bucket {@link EtcdBuckets#KEY}.
   *
   * @throws RefusedFileException when this is no data of etcd, of a newer one, or damaged
   */
  static EtcdState read(BoltReader reader) throws IOException {
    if (!reader.buckets().contains(EtcdBuckets.META)) {
      throw new RefusedFileException("a bbolt file, but not etcd's: it has no bucket \"meta\", only " + reader.buckets());
    }
    SortedMap<byte[], byte[]> meta = rows(reader, EtcdBuckets.META);
    String version = text(meta.get(EtcdBuckets.STORAGE_VERSION));
    Matcher parts = VERSION.matcher(version);
    if (parts.matches() && isNewer(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)))) {
      throw new RefusedFileException("storage version " + version + " is newer than " + MAJOR + "." + MINOR + ", the newest that is understood");
    }
    long compacted = Math.max(mark(meta, EtcdBuckets.SCHEDULED_COMPACTION), mark(meta, EtcdBuckets.FINISHED_COMPACTION));
    try {
      return new EtcdState(auth(reader), leases(reader), compacted, version);
    } catch (InvalidProtocolBufferException damaged) {
      throw new RefusedFileException("a lease, user or role cannot be read: " + damaged.getMessage());
    }
  }

  private static boolean isNewer(int major, int minor) {
    return major > MAJOR || major == MAJOR && minor > MINOR;
  }

  private static String text(byte[] value) {
    return value == null ? "" : new String(value, StandardCharsets.UTF_8);
  }

  private static long mark(SortedMap<byte[], byte[]> meta, byte[] name) throws RefusedFileException {
    byte[] value = meta.get(name);
    if (value == null) {
      return -1;
    }
    if (!EtcdBuckets.isRevision(value)) {
      throw new RefusedFileException("the mark " + text(name) + " is no revision");
    }
    return EtcdBuckets.main(value);
  }

  private static StoredAuth auth(BoltReader reader) throws IOException {
    SortedMap<byte[], byte[]> settings = rows(reader, EtcdBuckets.AUTH);
    byte[] enabled = settings.get(EtcdBuckets.AUTH_ENABLED);
    byte[] revision = settings.get(EtcdBuckets.AUTH_REVISION);
    if (revision != null && revision.length != Long.BYTES) {
      throw new RefusedFileException("the auth revision has " + revision.length + " bytes");
    }
    StoredAuth.Builder auth =
        StoredAuth.newBuilder().setEnabled(enabled != null && enabled.length == 1 && enabled[0] == 1).setRevision(revision == null ? 1 : ByteBuffer.wrap(revision).getLong());
    for (var row : rows(reader, EtcdBuckets.AUTH_USERS).entrySet()) {
      User user = User.parseFrom(row.getValue());
      checkName("user", row.getKey(), user.getName());
      auth.addUsers(user);
    }
    for (var row : rows(reader, EtcdBuckets.AUTH_ROLES).entrySet()) {
      Role role = Role.parseFrom(row.getValue());
      checkName("role", row.getKey(), role.getName());
      auth.addRoles(role);
    }
    return auth.build();
  }

  private static void checkName(String what, byte[] key, ByteString name) throws RefusedFileException {
    if (!ByteString.copyFrom(key).equals(name)) {
      throw new RefusedFileException("the " + what + " " + text(key) + " is stored under the name " + name.toStringUtf8());
    }
  }

  private static List<StoredLease> leases(BoltReader reader) throws IOException {
    List<StoredLease> leases = new ArrayList<>();
    for (var row : rows(reader, EtcdBuckets.LEASE).entrySet()) {
      Lease lease = Lease.parseFrom(row.getValue());
      if (!Arrays.equals(row.getKey(), EtcdBuckets.number(lease.getID()))) {
        throw new RefusedFileException("the lease " + Long.toHexString(lease.getID()) + " is stored under another id");
      }
      leases.add(StoredLease.newBuilder().setId(lease.getID()).setTtl(lease.getTTL()).setRemainingTtl(lease.getRemainingTTL()).build());
    }
    return leases;
  }

  private static SortedMap<byte[], byte[]> rows(BoltReader reader, String bucket) throws IOException {
    SortedMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
    reader.forEach(
        bucket,
        (key, value) -> {
          byte[] copy = new byte[value.remaining()];
          value.get(copy);
          rows.put(key, copy);
        });
    return rows;
  }
}
