package io.kvorum.server.migrate;

import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.bbolt.Bucket;
import io.kvorum.bbolt.RowSink;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.authpb.UserAddOptions;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.protocol.leasepb.Lease;
import io.kvorum.server.base.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A member's state as the buckets of an etcd 3.6 file.
 *
 * <p>History, leases, users and roles are complete. Members are left out, because whoever restores the file writes its own; alarms too, because etcd would raise them again at once. The
 * rows of the history are those that logically survive compaction, so that the file does not depend on when segments were rewritten; row by row they are what etcd stores.
 */
public final class EtcdContent {
  private EtcdContent() {}

  /** The buckets in order; the state must stay open while they are read. */
  public static List<Bucket> of(FrozenState state) {
    MachineState machine = state.machine();
    StoredAuth auth = auth(machine);
    return List.of(
        Bucket.empty(EtcdBuckets.ALARM),
        Bucket.of(EtcdBuckets.AUTH, settings(auth)),
        Bucket.of(EtcdBuckets.AUTH_ROLES, roles(auth)),
        Bucket.of(EtcdBuckets.AUTH_USERS, users(auth)),
        Bucket.of(EtcdBuckets.CLUSTER, cluster()),
        new Bucket(EtcdBuckets.KEY, sink -> history(state, sink)),
        Bucket.of(EtcdBuckets.LEASE, leases(machine)),
        Bucket.empty(EtcdBuckets.MEMBERS),
        Bucket.empty(EtcdBuckets.MEMBERS_REMOVED),
        Bucket.of(EtcdBuckets.META, meta(state)));
  }

  private static SortedMap<byte[], byte[]> rows() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  private static StoredAuth auth(MachineState machine) {
    try {
      return StoredAuth.parseFrom(machine.getAuth());
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("the users and roles cannot be read", damaged);
    }
  }

  private static SortedMap<byte[], byte[]> settings(StoredAuth auth) {
    SortedMap<byte[], byte[]> rows = rows();
    rows.put(EtcdBuckets.AUTH_ENABLED, new byte[] {(byte) (auth.getEnabled() ? 1 : 0)});
    rows.put(EtcdBuckets.AUTH_REVISION, EtcdBuckets.number(Math.max(1, auth.getRevision())));
    return rows;
  }

  private static SortedMap<byte[], byte[]> roles(StoredAuth auth) {
    SortedMap<byte[], byte[]> rows = rows();
    for (Role role : auth.getRolesList()) {
      rows.put(role.getName().toByteArray(), role.toByteArray());
    }
    return rows;
  }

  private static SortedMap<byte[], byte[]> users(StoredAuth auth) {
    SortedMap<byte[], byte[]> rows = rows();
    for (User user : auth.getUsersList()) {
      // etcd takes the options for granted.
      User stored = user.hasOptions() ? user : user.toBuilder().setOptions(UserAddOptions.getDefaultInstance()).build();
      rows.put(user.getName().toByteArray(), stored.toByteArray());
    }
    return rows;
  }

  private static SortedMap<byte[], byte[]> cluster() {
    SortedMap<byte[], byte[]> rows = rows();
    rows.put(EtcdBuckets.CLUSTER_VERSION, EtcdBuckets.ascii(Version.CLUSTER));
    return rows;
  }

  private static SortedMap<byte[], byte[]> leases(MachineState machine) {
    SortedMap<byte[], byte[]> rows = rows();
    for (StoredLease lease : machine.getLeasesList()) {
      Lease stored = Lease.newBuilder().setID(lease.getId()).setTTL(lease.getTtl()).setRemainingTTL(lease.getRemainingTtl()).build();
      rows.put(EtcdBuckets.number(lease.getId()), stored.toByteArray());
    }
    return rows;
  }

  private static SortedMap<byte[], byte[]> meta(FrozenState state) {
    SortedMap<byte[], byte[]> rows = rows();
    rows.put(EtcdBuckets.CONSISTENT_INDEX, EtcdBuckets.number(state.index()));
    rows.put(EtcdBuckets.TERM, EtcdBuckets.number(Math.max(1, state.term())));
    rows.put(EtcdBuckets.STORAGE_VERSION, EtcdBuckets.ascii(Version.STORAGE));
    if (state.view().compactRevision() >= 0) {
      byte[] mark = EtcdBuckets.revision(state.view().compactRevision(), 0, false);
      rows.put(EtcdBuckets.SCHEDULED_COMPACTION, mark);
      rows.put(EtcdBuckets.FINISHED_COMPACTION, mark);
    }
    return rows;
  }

  private static void history(FrozenState state, RowSink sink) throws IOException {
    try {
      state
          .view()
          .history(
              record -> {
                try {
                  sink.row(EtcdBuckets.revision(record.main(), record.sub(), record.tombstone()), KeyValueCodec.row(record).asByteBuffer());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
                return true;
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
