package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.v3electionpb.CampaignRequest;
import io.kvorum.protocol.v3electionpb.CampaignResponse;
import io.kvorum.protocol.v3electionpb.ElectionGrpc;
import io.kvorum.protocol.v3electionpb.LeaderKey;
import io.kvorum.protocol.v3electionpb.LeaderRequest;
import io.kvorum.protocol.v3electionpb.LeaderResponse;
import io.kvorum.protocol.v3electionpb.ProclaimRequest;
import io.kvorum.protocol.v3electionpb.ResignRequest;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v3lockpb.LockRequest;
import io.kvorum.protocol.v3lockpb.LockResponse;
import io.kvorum.protocol.v3lockpb.UnlockRequest;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lock and Election over loopback. Each test has names of its own. */
class RecipesTest {
  private static final long SECONDS = 20;

  @TempDir static Path temp;
  private static LoneMember member;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
  }

  @AfterAll
  static void stop() throws Exception {
    member.close();
  }

  private static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static LockGrpc.LockBlockingStub locks() {
    return LockGrpc.newBlockingStub(member.channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static ElectionGrpc.ElectionBlockingStub elections() {
    return ElectionGrpc.newBlockingStub(member.channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static long lease(long ttl) {
    return LeaseGrpc.newBlockingStub(member.channel).leaseGrant(LeaseGrantRequest.newBuilder().setTTL(ttl).build()).getID();
  }

  private static void revoke(long lease) {
    LeaseGrpc.newBlockingStub(member.channel).leaseRevoke(LeaseRevokeRequest.newBuilder().setID(lease).build());
  }

  private static LockRequest lock(String name, long lease) {
    return LockRequest.newBuilder().setName(bytes(name)).setLease(lease).build();
  }

  private static CampaignRequest campaign(String name, long lease, String value) {
    return CampaignRequest.newBuilder().setName(bytes(name)).setLease(lease).setValue(bytes(value)).build();
  }

  private static List<String> keys(String prefix) {
    RangeRequest request = RangeRequest.newBuilder().setKey(bytes(prefix + "/")).setRangeEnd(bytes(prefix + "0")).build();
    return KVGrpc.newBlockingStub(member.channel).range(request).getKvsList().stream().map(kv -> kv.getKey().toStringUtf8()).toList();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.sleep(10);
    }
  }

  private static void refused(ThrowingCallable call, String text) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getDescription()).isEqualTo(text);
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNKNOWN);
            });
  }

  @Test
  void a_lock_passes_on_in_the_order_of_arrival() throws Exception {
    long[] leases = {lease(60), lease(60), lease(60)};
    LockResponse first = locks().lock(lock("order", leases[0]));
    assertThat(first.getKey().toStringUtf8()).isEqualTo("order/" + Long.toHexString(leases[0]));
    assertThat(first.getHeader().getRevision()).isPositive();
    ListenableFuture<LockResponse> second = LockGrpc.newFutureStub(member.channel).lock(lock("order", leases[1]));
    await(() -> keys("order").size() == 2);
    ListenableFuture<LockResponse> third = LockGrpc.newFutureStub(member.channel).lock(lock("order", leases[2]));
    await(() -> keys("order").size() == 3);
    assertThat(second.isDone()).isFalse();
    locks().unlock(UnlockRequest.newBuilder().setKey(first.getKey()).build());
    ByteString key = second.get(SECONDS, TimeUnit.SECONDS).getKey();
    assertThat(key.toStringUtf8()).isEqualTo("order/" + Long.toHexString(leases[1]));
    assertThat(third.isDone()).isFalse();
    revoke(leases[1]);
    assertThat(third.get(SECONDS, TimeUnit.SECONDS).getKey().toStringUtf8()).isEqualTo("order/" + Long.toHexString(leases[2]));
  }

  @Test
  void the_owner_may_lock_again_and_unlocking_nothing_succeeds() {
    long lease = lease(60);
    ByteString key = locks().lock(lock("again", lease)).getKey();
    assertThat(locks().lock(lock("again", lease)).getKey()).isEqualTo(key);
    assertThat(keys("again")).hasSize(1);
    assertThat(locks().unlock(UnlockRequest.newBuilder().setKey(bytes("none/1")).build()).hasHeader()).isTrue();
  }

  @Test
  void without_a_lease_one_of_sixty_seconds_is_made() {
    String key = locks().lock(lock("own", 0)).getKey().toStringUtf8();
    long lease = Long.parseLong(key.substring("own/".length()), 16);
    assertThat(LeaseGrpc.newBlockingStub(member.channel).leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(lease).build()).getGrantedTTL()).isEqualTo(60);
  }

  @Test
  void an_unknown_lease_is_refused_with_the_code_unknown() {
    refused(() -> locks().lock(lock("unknown", 123_456)), "etcdserver: requested lease not found");
    refused(() -> elections().campaign(campaign("unknown", 123_456, "v")), "etcdserver: requested lease not found");
    refused(() -> locks().unlock(UnlockRequest.getDefaultInstance()), "etcdserver: key is not provided");
  }

  @Test
  void cancelling_a_waiting_lock_or_campaign_removes_its_key_alone() throws Exception {
    LockResponse owner = locks().lock(lock("cancel", lease(60)));
    ListenableFuture<LockResponse> waiting = LockGrpc.newFutureStub(member.channel).lock(lock("cancel", lease(60)));
    await(() -> keys("cancel").size() == 2);
    waiting.cancel(true);
    await(() -> keys("cancel").size() == 1);
    assertThat(keys("cancel")).containsExactly(owner.getKey().toStringUtf8());

    CampaignResponse leader = elections().campaign(campaign("cancel-e", lease(60), "a"));
    ListenableFuture<CampaignResponse> candidate = ElectionGrpc.newFutureStub(member.channel).campaign(campaign("cancel-e", lease(60), "b"));
    await(() -> keys("cancel-e").size() == 2);
    candidate.cancel(true);
    await(() -> keys("cancel-e").size() == 1);
    assertThat(keys("cancel-e")).containsExactly(leader.getLeader().getKey().toStringUtf8());
  }

  @Test
  void who_lost_its_key_while_waiting_has_no_lock() throws Exception {
    long waiting = lease(60);
    ByteString owner = locks().lock(lock("lost", lease(60))).getKey();
    ListenableFuture<LockResponse> call = LockGrpc.newFutureStub(member.channel).lock(lock("lost", waiting));
    await(() -> keys("lost").size() == 2);
    revoke(waiting);
    locks().unlock(UnlockRequest.newBuilder().setKey(owner).build());
    assertThatThrownBy(() -> call.get(SECONDS, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("UNKNOWN: mutex: session is expired");
  }

  @Test
  void a_lease_that_ends_gives_the_lock_to_the_next() throws Exception {
    locks().lock(lock("expiry", lease(1)));
    assertThat(locks().lock(lock("expiry", lease(60))).getHeader().getRevision()).isPositive();
    assertThat(keys("expiry")).hasSize(1);
  }

  @Test
  void an_election_has_one_leader_who_may_say_something_else() {
    long lease = lease(60);
    refused(() -> elections().leader(LeaderRequest.newBuilder().setName(bytes("one")).build()), "election: no leader");
    LeaderKey leader = elections().campaign(campaign("one", lease, "a")).getLeader();
    assertThat(leader.getLease()).isEqualTo(lease);
    assertThat(leader.getKey().toStringUtf8()).isEqualTo("one/" + Long.toHexString(lease));
    elections().proclaim(ProclaimRequest.newBuilder().setLeader(leader).setValue(bytes("b")).build());
    LeaderResponse told = elections().leader(LeaderRequest.newBuilder().setName(bytes("one")).build());
    assertThat(told.getKv().getValue().toStringUtf8()).isEqualTo("b");
    assertThat(told.getKv().getCreateRevision()).isEqualTo(leader.getRev());
    assertThat(elections().campaign(campaign("one", lease, "c")).getLeader()).isEqualTo(leader);
    assertThat(elections().leader(LeaderRequest.newBuilder().setName(bytes("one")).build()).getKv().getValue().toStringUtf8()).isEqualTo("c");

    LeaderKey other = leader.toBuilder().setRev(leader.getRev() + 1).build();
    refused(() -> elections().proclaim(ProclaimRequest.newBuilder().setLeader(other).build()), "election: not leader");
    assertThat(elections().resign(ResignRequest.newBuilder().setLeader(other).build()).hasHeader()).isTrue();
    assertThat(keys("one")).hasSize(1);
    elections().resign(ResignRequest.newBuilder().setLeader(leader).build());
    assertThat(keys("one")).isEmpty();
    refused(() -> elections().proclaim(ProclaimRequest.getDefaultInstance()), "\"leader\" field must be provided");
    refused(() -> elections().resign(ResignRequest.getDefaultInstance()), "\"leader\" field must be provided");
  }

  @Test
  void an_observer_hears_of_every_leader_and_of_what_they_say() {
    Iterator<LeaderResponse> seen = elections().observe(LeaderRequest.newBuilder().setName(bytes("seen")).build());
    LeaderKey first = elections().campaign(campaign("seen", lease(60), "a")).getLeader();
    assertThat(seen.next().getKv().getValue().toStringUtf8()).isEqualTo("a");
    elections().proclaim(ProclaimRequest.newBuilder().setLeader(first).setValue(bytes("b")).build());
    assertThat(seen.next().getKv().getValue().toStringUtf8()).isEqualTo("b");
    ListenableFuture<CampaignResponse> second = ElectionGrpc.newFutureStub(member.channel).campaign(campaign("seen", lease(60), "c"));
    KVGrpc.newBlockingStub(member.channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(first.getKey()).build());
    LeaderResponse third = seen.next();
    assertThat(third.getKv().getValue().toStringUtf8()).isEqualTo("c");
    assertThat(third.getHeader().getRevision()).isPositive();
    assertThat(second).succeedsWithin(SECONDS, TimeUnit.SECONDS);
  }
}
