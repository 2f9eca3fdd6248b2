package io.kvorum.server.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseStatus;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LocalLeasesTest {
  private final LeaseRig rig = new LeaseRig();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final LocalLeases local = new LocalLeases(rig.lessor, rig.keeper, rig.kernel, timer);

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  private LeaseTimeToLiveResponse timeToLive(long id, boolean keys) {
    LeaseRig.Answer<LeaseTimeToLiveResponse> answer = new LeaseRig.Answer<>();
    local.timeToLive(LeaseTimeToLiveRequest.newBuilder().setID(id).setKeys(keys).build(), answer);
    return answer.get();
  }

  @Test
  void renewingGivesTheFullTtlAgain() {
    rig.lead(2);
    rig.grant(1, 60);
    rig.pass(20_000);
    assertThat(timeToLive(1, false).getTTL()).isEqualTo(40);
    LeaseKeepAliveResponse answer = rig.renew(local, 1).get();
    assertThat(answer.getID()).isEqualTo(1);
    assertThat(answer.getTTL()).isEqualTo(60);
    assertThat(answer.getHeader().getMemberId()).isEqualTo(0xa);
    assertThat(answer.getHeader().getRevision()).isEqualTo(rig.store.revision());
    rig.sleep(1);
    assertThat(timeToLive(1, false).getTTL()).isEqualTo(59);
  }

  @Test
  void unknownLeaseIsNoError() {
    rig.lead(2);
    LeaseKeepAliveResponse answer = rig.renew(local, 42).get();
    assertThat(answer.getID()).isEqualTo(42);
    assertThat(answer.getTTL()).isZero();
    LeaseTimeToLiveResponse ttl = timeToLive(42, true);
    assertThat(ttl.getTTL()).isEqualTo(-1);
    assertThat(ttl.getGrantedTTL()).isZero();
    assertThat(ttl.getID()).isEqualTo(42);
  }

  @Test
  void timeToLiveTellsKeysWhenAsked() {
    rig.lead(2);
    rig.grant(1, 60);
    rig.put("b", 1);
    rig.put("a", 1);
    assertThat(timeToLive(1, false).getKeysList()).isEmpty();
    LeaseTimeToLiveResponse ttl = timeToLive(1, true);
    assertThat(ttl.getKeysList()).extracting(k -> k.toStringUtf8()).containsExactlyInAnyOrder("a", "b");
    assertThat(ttl.getGrantedTTL()).isEqualTo(60);
  }

  @Test
  void pastTheDeadlineTheRenewalWaitsForTheRevocation() {
    rig.lead(2);
    rig.grant(1, 2);
    rig.sleep(1_999);
    rig.keeper.check();
    rig.sleep(2);
    LeaseRig.Answer<LeaseKeepAliveResponse> late = rig.renew(local, 1);
    assertThat(late.pending()).isTrue();
    rig.holdProposals = true;
    rig.keeper.check();
    LeaseRig.Answer<LeaseKeepAliveResponse> later = rig.renew(local, 1);
    assertThat(later.pending()).isTrue();
    rig.applyNext();
    assertThat(late.get().getTTL()).isZero();
    assertThat(later.get().getTTL()).isZero();
  }

  @Test
  void losingTheLeadEndsTheWait() {
    rig.lead(2);
    rig.grant(1, 2);
    rig.holdProposals = true;
    rig.pass(2_500);
    LeaseRig.Answer<LeaseKeepAliveResponse> answer = rig.renew(local, 1);
    assertThat(answer.pending()).isTrue();
    rig.follow(3, 9);
    assertThat(answer.error()).isEqualTo("not a primary lessor");
  }

  @Test
  void aMemberThatDoesNotLeadIsNotPrimary() {
    rig.grant(1, 60);
    assertThat(rig.renew(local, 1).error()).isEqualTo("not a primary lessor");
    rig.readsFail = EtcdError.TIMED_OUT;
    rig.lead(2);
    assertThat(rig.renew(local, 1).error()).as("leads, but has not applied an entry of its term").isEqualTo("not a primary lessor");
  }

  @Test
  void anOldConfirmationOfTheLeadIsRenewedFirst() {
    rig.lead(2);
    rig.grant(1, 60);
    rig.keeper.check();
    int before = rig.reads;
    rig.sleep(1_000);
    assertThat(rig.renew(local, 1).get().getTTL()).isEqualTo(60);
    assertThat(rig.reads).isEqualTo(before);
    rig.sleep(1_000);
    rig.readsFail = EtcdError.TIMED_OUT;
    assertThat(rig.renew(local, 1).error()).isEqualTo("not a primary lessor");
    rig.readsFail = null;
    assertThat(rig.renew(local, 1).get().getTTL()).isEqualTo(60);
    assertThat(rig.reads).isEqualTo(before + 2);
  }

  @Test
  void waitsASecondForWhatIsCommittedToBeApplied() {
    rig.lead(2);
    rig.grant(1, 60);
    rig.committed(10, 9);
    LeaseRig.Answer<LeaseKeepAliveResponse> served = rig.renew(local, 1);
    assertThat(served.pending()).isTrue();
    rig.committed(11, 10);
    served.await();
    assertThat(served.get().getTTL()).isEqualTo(60);
    LeaseRig.Answer<LeaseKeepAliveResponse> late = rig.renew(local, 1);
    rig.sleep(LocalLeases.APPLY_WAIT_MILLIS);
    late.await();
    assertThat(late.error()).isEqualTo("etcdserver: request timed out, waiting for the applied index took too long");
  }

  @Test
  void renewalTakesBackTheCheckpointBeforeItAnswers() {
    rig.lead(2);
    rig.grant(1, 1_000);
    rig.pass(301_000);
    assertThat(rig.lessor.find(1).remainingSeconds()).isPositive();
    rig.holdProposals = true;
    LeaseRig.Answer<LeaseKeepAliveResponse> answer = rig.renew(local, 1);
    assertThat(answer.pending()).isTrue();
    rig.applyNext();
    assertThat(answer.get().getTTL()).isEqualTo(1_000);
    assertThat(rig.lessor.find(1).remainingSeconds()).isZero();
    assertThat(rig.renew(local, 1).get().getTTL()).isEqualTo(1_000);
    assertThat(rig.proposed.stream().filter(LogRequest::hasLeaseCheckpoint)).hasSize(2);
  }

  @Test
  void renewalWaitsOutACheckpointThatIsOnItsWay() {
    rig.lead(2);
    rig.grant(1, 1_000);
    rig.pass(299_900);
    rig.holdProposals = true;
    rig.pass(500);
    assertThat(rig.held).hasSize(1);
    LeaseRig.Answer<LeaseKeepAliveResponse> answer = rig.renew(local, 1);
    assertThat(answer.pending()).isTrue();
    rig.applyNext();
    assertThat(rig.lessor.find(1).remainingSeconds()).isPositive();
    rig.applyNext();
    assertThat(rig.lessor.find(1).remainingSeconds()).isZero();
    assertThat(answer.get().getTTL()).isEqualTo(1_000);
  }

  @Test
  void listsByRemainingTime() {
    rig.lead(2);
    rig.grant(1, 300);
    rig.grant(2, 100);
    rig.grant(3, 200);
    LeaseRig.Answer<LeaseLeasesResponse> answer = new LeaseRig.Answer<>();
    local.leases(LeaseLeasesRequest.getDefaultInstance(), answer);
    assertThat(answer.get().getLeasesList()).extracting(LeaseStatus::getID).containsExactly(2L, 3L, 1L);
  }
}
