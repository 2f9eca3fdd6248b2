package io.kvorum.server.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.LeaseCheckpoint;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.server.apply.Requests;
import io.kvorum.server.base.EtcdError;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LessorTest {
  private final LeaseRig rig = new LeaseRig();

  private static LeaseGrantRequest grant(long id, long ttl) {
    return LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl).build();
  }

  private List<String> keysOf(long id) {
    return rig.lessor.keysOf(id).stream().map(String::new).toList();
  }

  @Test
  void grantRefusesWhatEtcdRefuses() {
    assertThat(rig.lessor.grant(grant(1, 10))).isNull();
    assertThat(rig.lessor.grant(grant(1, 10))).isEqualTo(EtcdError.LEASE_ALREADY_EXISTS);
    assertThat(rig.lessor.grant(grant(-5, 9_000_000_000L))).isNull();
    assertThat(rig.lessor.grant(grant(2, 9_000_000_001L))).isEqualTo(EtcdError.LEASE_TTL_TOO_LARGE);
    assertThat(rig.lessor.contains(-5)).isTrue();
    assertThat(rig.lessor.contains(2)).isFalse();
    assertThat(rig.store.revision()).isEqualTo(1);
  }

  @Test
  void keysAttachMoveAndDetach() {
    rig.grant(1, 10);
    rig.grant(2, 10);
    rig.put("b", 1);
    rig.put("a", 1);
    rig.put("c", 1);
    rig.put("a", 1);
    assertThat(keysOf(1)).containsExactly("a", "b", "c");
    rig.put("b", 2);
    rig.put("c", 0);
    assertThat(keysOf(1)).containsExactly("a");
    assertThat(keysOf(2)).containsExactly("b");
    rig.ask(Requests.log(Requests.delete("a"))).get();
    assertThat(keysOf(1)).isEmpty();
    assertThat(keysOf(99)).isEmpty();
  }

  @Test
  void revokeDeletesAllKeysInOneRevision() {
    rig.grant(1, 10);
    rig.put("b", 1);
    rig.put("a", 1);
    rig.put("other", 0);
    long before = rig.store.revision();
    rig.ask(LogRequest.newBuilder().setLeaseRevoke(io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest.newBuilder().setID(1))).get();
    assertThat(rig.store.revision()).isEqualTo(before + 1);
    assertThat(rig.exists("a") || rig.exists("b")).isFalse();
    assertThat(rig.exists("other")).isTrue();
    assertThat(rig.lessor.contains(1)).isFalse();
  }

  @Test
  void stateSurvivesACheckpointAndAttachmentsAreRebuilt() {
    rig.grant(1, 1_000);
    rig.grant(2, 20);
    rig.put("x", 1);
    rig.put("y", 1);
    rig.put("z", 2);
    rig.lessor.checkpoint(LeaseCheckpointRequest.newBuilder().addCheckpoints(LeaseCheckpoint.newBuilder().setID(1).setRemainingTTL(400)).build());
    MachineState.Builder saved = MachineState.newBuilder();
    rig.lessor.save(saved);
    Lessor restored = new Lessor(() -> 0);
    restored.grant(grant(7, 5));
    restored.restore(saved.build());
    restored.rebuildAttachments(rig.store);
    assertThat(restored.contains(7)).isFalse();
    assertThat(restored.keysOf(1).stream().map(String::new)).containsExactly("x", "y");
    assertThat(restored.keysOf(2).stream().map(String::new)).containsExactly("z");
    assertThat(restored.find(1).ttlSeconds()).isEqualTo(1_000);
    assertThat(restored.find(1).remainingSeconds()).isEqualTo(400);
    MachineState.Builder again = MachineState.newBuilder();
    restored.save(again);
    assertThat(again.build()).isEqualTo(saved.build());
  }

  @Test
  void promotionGivesTheFullTtlOrTheCheckpointedRestAndTheExtension() {
    rig.grant(1, 1_000);
    rig.grant(2, 60);
    rig.lessor.checkpoint(LeaseCheckpointRequest.newBuilder().addCheckpoints(LeaseCheckpoint.newBuilder().setID(1).setRemainingTTL(400)).build());
    rig.sleep(50_000);
    rig.readsFail = EtcdError.TIMED_OUT;
    rig.lead(2);
    assertThat(rig.lessor.primary()).isFalse();
    rig.lessor.promote(2, 1_000);
    assertThat(rig.lessor.primary()).isTrue();
    assertThat(rig.lessor.find(1).secondsLeft(rig.lessor.now())).isEqualTo(401);
    assertThat(rig.lessor.find(2).secondsLeft(rig.lessor.now())).isEqualTo(61);
    rig.follow(3, 9);
    assertThat(rig.lessor.primary()).isFalse();
    rig.lead(4);
    assertThat(rig.lessor.primary()).isFalse();
    rig.lessor.promote(3, 1_000);
    assertThat(rig.lessor.primary()).as("a promotion for a term that is over").isFalse();
  }

  @Test
  void deadlinesThatCoincideAreSpreadAndNeverMovedForward() {
    int count = 5_000;
    for (int i = 1; i <= count; i++) {
      rig.lessor.grant(grant(i, 60 + i % 2));
    }
    rig.lead(2);
    rig.lessor.promote(2, 1_000);
    long now = rig.lessor.now();
    long[] deadlines = rig.lessor.all().stream().mapToLong(Lease::deadline).sorted().toArray();
    for (Lease lease : rig.lessor.all()) {
      assertThat(lease.deadline() - now).isGreaterThanOrEqualTo(TimeUnit.SECONDS.toNanos(lease.ttlSeconds() + 1));
    }
    for (int i = Lessor.SPREAD_PER_SECOND; i < count; i++) {
      assertThat(deadlines[i] - deadlines[i - Lessor.SPREAD_PER_SECOND]).isGreaterThanOrEqualTo(TimeUnit.SECONDS.toNanos(1));
    }
    assertThat(deadlines[count - 1] - now).isLessThanOrEqualTo(TimeUnit.SECONDS.toNanos(62 + count / Lessor.SPREAD_PER_SECOND));
  }

  @Test
  void fewerThanAThousandAreNotSpread() {
    for (int i = 1; i < Lessor.SPREAD_FROM; i++) {
      rig.lessor.grant(grant(i, 60));
    }
    rig.lead(2);
    rig.lessor.promote(2, 1_000);
    assertThat(rig.lessor.all().stream().mapToLong(Lease::deadline).distinct().count()).isEqualTo(1);
  }

  @Test
  void theLongestTtlDoesNotOverflow() {
    rig.sleep(TimeUnit.DAYS.toMillis(400));
    rig.lessor.grant(grant(1, Lessor.MAX_TTL_SECONDS));
    assertThat(rig.lessor.find(1).secondsLeft(rig.lessor.now())).isEqualTo(Lessor.MAX_TTL_SECONDS);
    assertThat(Lease.deadlineAfter(Long.MAX_VALUE - 5, 10)).isEqualTo(Long.MAX_VALUE);
  }
}
