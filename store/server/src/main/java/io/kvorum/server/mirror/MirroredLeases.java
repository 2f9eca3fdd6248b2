package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseStatus;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The source's leases in the destination, under the same ids: granted when the first key needs one, kept alive as long as the source has it. When the source loses one its keys'
 * deletions come as changes, and here it is left to expire.
 */
final class MirroredLeases {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final int RENEWALS_IN_A_TTL = 3;

  private final Remote source;
  private final Remote destination;
  private final LongSupplier nanoTime;
  private final Map<Long, Kept> kept = new HashMap<>();
  private long looked;

  private static final class Kept {
    private final long intervalNanos;
    private long renewed;

    Kept(long ttlSeconds, long now) {
      this.intervalNanos = TimeUnit.SECONDS.toNanos(ttlSeconds) / RENEWALS_IN_A_TTL;
      this.renewed = now;
    }
  }

  MirroredLeases(Remote source, Remote destination, LongSupplier nanoTime) {
    this.source = source;
    this.destination = destination;
    this.nanoTime = nanoTime;
    this.looked = nanoTime.getAsLong();
  }

  /**
   * Takes up the leases that both have.
   *
   * @param position where the destination stands
   * @throws GapException when one that should be there expired while nobody mirrored, and took keys along
   */
  void adopt(Position position, Span span) throws IOException, InterruptedException, GapException {
    Set<Long> there = ids(destination);
    for (long id : ids(source)) {
      LeaseTimeToLiveResponse live = look(id);
      if (live.getTTL() <= 0) {
        continue;
      }
      if (there.contains(id)) {
        kept.put(id, new Kept(live.getGrantedTTL(), nanoTime.getAsLong() - TimeUnit.SECONDS.toNanos(live.getGrantedTTL())));
        continue;
      }
      for (ByteString key : live.getKeysList()) {
        if (span.contains(key) && hadKey(key, id, position)) {
          throw new GapException("lease " + Long.toHexString(id) + " expired in the destination while nobody mirrored, and " + key.toStringUtf8() + " went with it");
        }
      }
    }
  }

  private boolean hadKey(ByteString key, long lease, Position position) throws IOException, InterruptedException {
    if (!position.has(key)) {
      return false;
    }
    RangeResponse found = source.kv(kv -> kv.range(RangeRequest.newBuilder().setKey(key).build()));
    return found.getKvsCount() > 0 && found.getKvs(0).getLease() == lease && found.getKvs(0).getModRevision() <= position.revision();
  }

  private static Set<Long> ids(Remote remote) throws IOException, InterruptedException {
    Set<Long> ids = new HashSet<>();
    for (LeaseStatus lease : remote.lease(stub -> stub.leaseLeases(LeaseLeasesRequest.getDefaultInstance())).getLeasesList()) {
      ids.add(lease.getID());
    }
    return ids;
  }

  private LeaseTimeToLiveResponse look(long id) throws IOException, InterruptedException {
    return source.lease(stub -> stub.leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(id).setKeys(true).build()));
  }

  /**
   * The lease for a key that has it at the source.
   *
   * @return 0 when the source has lost it meanwhile: the key's deletion is on its way
   */
  long forKey(long id) throws IOException, InterruptedException {
    if (id == 0 || kept.containsKey(id)) {
      return id;
    }
    LeaseTimeToLiveResponse live = look(id);
    if (live.getTTL() <= 0) {
      return 0;
    }
    try {
      destination.lease(stub -> stub.leaseGrant(LeaseGrantRequest.newBuilder().setID(id).setTTL(live.getGrantedTTL()).build()));
    } catch (Remote.RefusedException refused) {
      if (!refused.is(EtcdError.LEASE_ALREADY_EXISTS)) {
        throw refused;
      }
    }
    kept.put(id, new Kept(live.getGrantedTTL(), nanoTime.getAsLong()));
    return id;
  }

  /**
   * Keeps alive what is due, once in a second at most.
   *
   * @throws GapException when the destination lost a lease that the source still has
   */
  void keepAlive() throws IOException, InterruptedException, GapException {
    long now = nanoTime.getAsLong();
    if (kept.isEmpty() || now - looked < INTERVAL_NANOS) {
      return;
    }
    looked = now;
    List<Long> due = new ArrayList<>();
    kept.forEach(
        (id, lease) -> {
          if (now - lease.renewed >= lease.intervalNanos) {
            due.add(id);
          }
        });
    if (due.isEmpty()) {
      return;
    }
    Set<Long> living = ids(source);
    due.removeIf(id -> !living.contains(id) && kept.remove(id) != null);
    for (long id : renew(due)) {
      if (look(id).getTTL() > 0) {
        throw new GapException("lease " + Long.toHexString(id) + " expired in the destination, with its keys, and lives in the source");
      }
      kept.remove(id);
    }
  }

  /** Returns those that the destination does not have. */
  private List<Long> renew(List<Long> ids) throws IOException, InterruptedException {
    List<Long> lost = new ArrayList<>();
    if (ids.isEmpty()) {
      return lost;
    }
    BlockingClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> call = destination.leaseStreams().leaseKeepAlive();
    try {
      for (long id : ids) {
        call.write(LeaseKeepAliveRequest.newBuilder().setID(id).build());
        LeaseKeepAliveResponse answer = call.read();
        if (answer == null) {
          break;
        }
        if (answer.getTTL() <= 0) {
          lost.add(id);
        } else if (kept.containsKey(id)) {
          kept.get(id).renewed = nanoTime.getAsLong();
        }
      }
      destination.worked();
    } catch (StatusException broken) {
      // Those that were not renewed are due again in a second.
      destination.failed(broken.getStatus());
    } finally {
      call.cancel("renewed", null);
    }
    return lost;
  }
}
