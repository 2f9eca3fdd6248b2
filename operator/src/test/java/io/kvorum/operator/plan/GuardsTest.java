package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guard.Kind;
import io.kvorum.operator.plan.guard.Guards;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each guard, holding and not: the target is the third of three voters unless said otherwise. */
class GuardsTest {
  private static Optional<String> guard(Scene scene, Kind kind) {
    return guard(scene, kind, 2);
  }

  private static Optional<String> guard(Scene scene, Kind kind, int target) {
    Situation situation = scene.situation();
    return Guards.all(situation, kind, situation.member("c-" + target).orElseThrow()).map(Blocked::guard);
  }

  @Test
  void aHealthyClusterMayRestartAndRemoveAFollower() {
    assertThat(guard(Scene.of(3), Kind.RESTART)).isEmpty();
    assertThat(guard(Scene.of(3), Kind.REMOVE)).isEmpty();
    assertThat(Guards.add(Scene.of(3).situation())).isEmpty();
  }

  @Test
  void g1AnOperatorWithoutItsLeaseDoesNothing() {
    Scene scene = Scene.of(3);
    scene.lease = false;
    assertThat(guard(scene, Kind.RESTART)).contains("G1");
    assertThat(scene.plan().action()).isEmpty();
  }

  @Test
  void g2EveryRemainingVoterMustHaveAnswered() {
    Scene scene = Scene.of(5);
    scene.member(3).answer = null;
    assertThat(guard(scene, Kind.RESTART)).contains("G2");
    assertThat(guard(scene, Kind.RESTART, 3)).as("but the target need not").isEmpty();
  }

  @Test
  void g2AnAnswerOfSixSecondsAgoIsNone() {
    Scene scene = Scene.of(3).answer(1, answer -> new MemberAnswer(
        answer.member(), Scene.NOW.minusSeconds(6), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), 7, 5000, 5000, 1, 1, 1, false, true,
        "0.1.0", "3.6.0", "c1", answer.certificateFingerprints(), List.of()));
    assertThat(guard(scene, Kind.RESTART)).contains("G2");
  }

  @Test
  void g3ALeaderThatOnlyAMinorityNamesIsNone() {
    Scene scene = Scene.of(3).answer(1, answer -> Change.leader(answer, 0x101, 8)).answer(2, answer -> Change.leader(answer, 0, 8));
    assertThat(guard(scene, Kind.RESTART)).contains("G3");
  }

  @Test
  void g3WithoutAMemberListNothingIsTouched() {
    Scene scene = Scene.of(3);
    scene.listKnown = false;
    assertThat(guard(scene, Kind.RESTART)).contains("G3");
  }

  @Test
  void g4AnAnswerForAnotherClusterStopsEverything() {
    Scene scene = Scene.of(3).answer(1, answer -> Change.cluster(answer, 0xbad));
    assertThat(guard(scene, Kind.RESTART)).contains("G4");
  }

  @Test
  void g5ALearnerInTheListIsAChangeInFlight() {
    Scene scene = Scene.of(3);
    scene.add(3, true);
    assertThat(guard(scene, Kind.RESTART)).contains("G5");
    assertThat(guard(scene, Kind.REMOVE, 3)).as("but it may itself be removed").isEmpty();
  }

  @Test
  void g5AnEntryWithoutAMemberObjectBlocks() {
    Scene scene = Scene.of(3);
    scene.member(1).listed = new ListedMember(0x999, "stranger", List.of("http://elsewhere:2380"), List.of(), true);
    assertThat(guard(scene, Kind.RESTART)).contains("G5");
  }

  @Test
  void g5AnObjectThatWasNeverRegisteredBlocksNobody() {
    Scene scene = Scene.of(3);
    Scene.One wish = scene.add(3, true);
    wish.listed = null;
    wish.pod = null;
    wish.answer = null;
    wish.status = KvorumMemberStatus.EMPTY;
    assertThat(guard(scene, Kind.RESTART)).isEmpty();
  }

  @Test
  void g6ASecondVoterIsNotTakenWhileOneIsDown() {
    assertThat(guard(Scene.of(5).dead(4, ""), Kind.RESTART, 4)).as("the dead one itself may").isEmpty();
    Scene two = Scene.of(2);
    assertThat(guard(two, Kind.RESTART, 1)).contains("G6");
    assertThat(guard(two, Kind.REMOVE, 1)).as("removing leaves one of one").isEmpty();
    assertThat(guard(Scene.of(1), Kind.REMOVE, 0)).contains("G6");
    assertThat(guard(Scene.of(1), Kind.RESTART, 0)).as("a single voter's restart is its downtime").isEmpty();
  }

  @Test
  void g7AVoterThatLagsBlocksUntilItHasCaughtUp() {
    Scene scene = Scene.of(3).answer(1, answer -> Change.applied(answer, 3000));
    assertThat(guard(scene, Kind.RESTART)).contains("G7");
    assertThat(guard(Scene.of(3).answer(1, answer -> Change.applied(answer, 4000)), Kind.RESTART)).as("a thousand entries are little").isEmpty();
  }

  @Test
  void g8TheSourceOfABackupIsSpared() {
    Scene scene = Scene.of(3);
    scene.backup("b", Map.of("phase", "Running", "source", "c-2"));
    assertThat(guard(scene, Kind.RESTART)).contains("G8");
    assertThat(guard(scene, Kind.RESTART, 1)).isEmpty();
  }

  @Test
  void g9TheClusterRestsAfterADisruption() {
    assertThat(guard(Scene.of(3).memory(rested(1)), Kind.RESTART)).contains("G9");
    assertThat(guard(Scene.of(3).memory(rested(2)), Kind.RESTART)).isEmpty();
  }

  @Test
  void aMemberIsAddedOnlyWhenAllVotersAreHealthy() {
    assertThat(Guards.add(Scene.of(3).dead(2, "").situation()).map(Blocked::guard)).contains("G2");
    Scene starting = Scene.of(3).pod(2, pod -> Change.waiting(pod, ""));
    assertThat(Guards.add(starting.situation()).map(Blocked::guard)).contains("G6");
  }

  private static Memory rested(int seconds) {
    return new Memory(Api.time(Scene.NOW.minusSeconds(seconds)), null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
  }
}
