package io.kvorum.operator.store;

import io.grpc.StatusRuntimeException;
import io.kvorum.operator.observe.HashComparison;
import io.kvorum.operator.observe.HashComparison.MemberHash;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Hashes members' data beside the passes, since a large database takes longer than a pass may. One comparison at a time. Safe for several threads. */
final class DataComparisons implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private final GrpcStoreAdmin store;
  private final Clock clock;
  private final AtomicReference<Thread> running = new AtomicReference<>();
  private final AtomicReference<HashComparison> last = new AtomicReference<>();

  DataComparisons(GrpcStoreAdmin store, Clock clock) {
    this.store = store;
    this.clock = clock;
  }

  /** The last one that has ended. */
  Optional<HashComparison> last() {
    return Optional.ofNullable(last.get());
  }

  void begin(List<Endpoint> members, long revision) {
    Thread next = Thread.ofVirtual().name("compare-data").unstarted(() -> compare(members, revision));
    if (running.compareAndSet(null, next)) {
      next.start();
    }
  }

  private void compare(List<Endpoint> members, long revision) {
    Instant began = clock.instant();
    List<MemberHash> hashes = new ArrayList<>();
    try {
      for (Endpoint member : members) {
        hash(member, revision).ifPresent(hashes::add);
      }
      last.set(new HashComparison(began, revision, hashes));
    } finally {
      running.set(null);
    }
  }

  /** Empty when the member does not answer, or has compacted beyond the revision: then nothing can be said of it. */
  private Optional<MemberHash> hash(Endpoint member, long revision) {
    HashKVRequest request = HashKVRequest.newBuilder().setRevision(revision).build();
    try {
      HashKVResponse answer = store.call(member, MaintenanceGrpc::newBlockingStub, LIMIT, stub -> stub.hashKV(request));
      return Optional.of(new MemberHash(member.member(), answer.getCompactRevision(), Integer.toUnsignedLong(answer.getHash())));
    } catch (StatusRuntimeException | IllegalStateException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    Thread one = running.get();
    if (one != null) {
      one.interrupt();
    }
  }
}
