package io.kvorum.server.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeaseKeeperTest {
  private final LeaseRig rig = new LeaseRig();

  @Test
  void becomesPrimaryOnlyAfterALinearizableRead() {
    rig.grant(1, 2);
    rig.readsFail = EtcdError.TIMED_OUT;
    rig.lead(2);
    rig.pass(60_000);
    assertThat(rig.lessor.primary()).isFalse();
    assertThat(rig.revocations()).isZero();
    rig.readsFail = null;
    rig.keeper.check();
    assertThat(rig.lessor.primary()).isTrue();
    assertThat(rig.revocations()).isZero();
    rig.pass(3_500);
    assertThat(rig.lessor.contains(1)).isFalse();
  }

  @Test
  void expiresAfterItsTtlAndDeletesItsKeys() {
    rig.lead(2);
    rig.grant(1, 2);
    rig.put("a", 1);
    rig.put("b", 1);
    long before = rig.store.revision();
    rig.pass(1_900);
    assertThat(rig.exists("a")).isTrue();
    rig.pass(600);
    assertThat(rig.exists("a") || rig.exists("b")).isFalse();
    assertThat(rig.store.revision()).isEqualTo(before + 1);
    assertThat(rig.lessor.contains(1)).isFalse();
  }

  @Test
  void followersNeverExpire() {
    rig.grant(1, 2);
    rig.follow(2, 9);
    rig.pass(60_000);
    assertThat(rig.proposed.stream().filter(LogRequest::hasLeaseRevoke)).isEmpty();
    assertThat(rig.reads).isZero();
  }

  @Test
  void anIdleLessorAsksForNoReads() {
    rig.lead(2);
    int first = rig.reads;
    rig.pass(10_000);
    assertThat(rig.reads).isEqualTo(first);
  }

  @Test
  void aMemberThatCannotConfirmItsLeadRevokesNothing() {
    rig.lead(2);
    rig.grant(1, 2);
    rig.readsFail = EtcdError.TIMED_OUT;
    rig.pass(60_000);
    assertThat(rig.revocations()).isZero();
    rig.readsFail = null;
    rig.pass(500);
    assertThat(rig.revocations()).isEqualTo(1);
  }

  @Test
  void aRenewedLeaseLivesOn() {
    rig.lead(2);
    rig.grant(1, 2);
    for (int i = 0; i < 20; i++) {
      rig.pass(1_500);
      assertThat(rig.lessor.find(1).renew(rig.lessor.now())).isTrue();
    }
    assertThat(rig.lessor.contains(1)).isTrue();
    rig.pass(2_500);
    assertThat(rig.lessor.contains(1)).isFalse();
  }

  @Test
  void sixteenRevocationsAreInFlight() {
    rig.lead(2);
    for (int i = 1; i <= 100; i++) {
      rig.grant(i, 2);
    }
    rig.holdProposals = true;
    rig.pass(2_500);
    assertThat(rig.held).hasSize(16);
    rig.applyNext();
    assertThat(rig.held).hasSize(16);
    assertThat(rig.revocations()).isEqualTo(17);
    while (!rig.held.isEmpty()) {
      rig.applyNext();
    }
    assertThat(rig.lessor.all()).isEmpty();
  }

  @Test
  void aFailedRevocationIsTriedAgain() {
    rig.lead(2);
    rig.grant(1, 2);
    rig.proposalsFail = EtcdError.TOO_MANY_REQUESTS;
    rig.pass(2_500);
    assertThat(rig.revocations()).isEqualTo(1);
    assertThat(rig.lessor.find(1).renew(rig.lessor.now())).as("it is past saving").isFalse();
    rig.pass(1_000);
    assertThat(rig.revocations()).isEqualTo(2);
    rig.proposalsFail = null;
    rig.pass(1_500);
    assertThat(rig.lessor.contains(1)).isFalse();
  }

  @Test
  void aHundredThousandLeasesExpireInBoundedSteps() {
    rig.lead(2);
    int count = 100_000;
    for (int i = 1; i <= count; i++) {
      rig.lessor.grant(io.kvorum.protocol.etcdserverpb.LeaseGrantRequest.newBuilder().setID(i).setTTL(10).build());
    }
    rig.pass(9_500);
    assertThat(rig.lessor.all()).hasSize(count);
    int checks = 0;
    while (!rig.lessor.all().isEmpty()) {
      int before = rig.lessor.size();
      rig.pass(500);
      assertThat(before - rig.lessor.size()).isLessThanOrEqualTo(Revocations.MAX_PER_CHECK);
      checks++;
    }
    assertThat(checks).isBetween(count / Revocations.MAX_PER_CHECK, count / Revocations.MAX_PER_CHECK + 2);
    assertThat(rig.revocations()).isEqualTo(count);
  }

  @Test
  void leasesThatAreRevokedEarlyDoNotPileUp() {
    rig.lead(2);
    for (int round = 0; round < 40; round++) {
      for (int i = 1; i <= 500; i++) {
        rig.grant(i, 1_000_000);
      }
      rig.keeper.check();
      for (int i = 1; i <= 500; i++) {
        rig.lessor.revoked(i);
      }
      rig.pass(500);
    }
    assertThat(rig.keeper.tracked()).isLessThanOrEqualTo(2 * 500 + LeaseTimes.GONE_TOLERATED);
    assertThat(rig.lessor.nextGranted()).isNull();
  }

  @Test
  void aNewTermForgetsRevocationsInFlight() {
    rig.lead(2);
    for (int i = 1; i <= 20; i++) {
      rig.grant(i, 2);
    }
    rig.holdProposals = true;
    rig.pass(2_500);
    rig.follow(3, 9);
    rig.lead(4);
    assertThat(rig.lessor.find(20).secondsLeft(rig.lessor.now())).isEqualTo(3);
    rig.held.clear();
    rig.pass(2_500);
    assertThat(rig.held).isEmpty();
    rig.pass(1_000);
    assertThat(rig.held).hasSize(16);
  }

  @Test
  void longLeasesAreCheckpointedAndTheNextLeaderGoesByIt() {
    rig.lead(2);
    rig.grant(1, 1_000);
    rig.grant(2, 300);
    rig.pass(299_000);
    assertThat(rig.lessor.find(1).remainingSeconds()).isZero();
    assertThat(rig.lessor.find(2).renew(rig.lessor.now())).isTrue();
    rig.pass(1_500);
    assertThat(rig.lessor.find(1).remainingSeconds()).isBetween(699L, 701L);
    assertThat(rig.lessor.find(2).remainingSeconds()).as("short leases are not").isZero();
    rig.pass(200_000);
    rig.follow(3, 9);
    rig.lead(4);
    rig.keeper.check();
    assertThat(rig.lessor.find(1).secondsLeft(rig.lessor.now())).isBetween(699L, 702L);
    List<LogRequest> checkpoints = rig.proposed.stream().filter(LogRequest::hasLeaseCheckpoint).toList();
    assertThat(checkpoints).hasSize(1);
  }

  @Test
  void aRenewedLongLeaseIsNotCheckpointed() {
    rig.lead(2);
    rig.grant(1, 1_000);
    for (int i = 0; i < 10; i++) {
      rig.pass(200_000);
      assertThat(rig.lessor.find(1).renew(rig.lessor.now())).isTrue();
    }
    assertThat(rig.proposed).noneMatch(LogRequest::hasLeaseCheckpoint);
  }
}
