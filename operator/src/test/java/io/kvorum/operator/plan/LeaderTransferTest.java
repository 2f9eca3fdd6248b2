package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Who is asked to lead, how often, and what an answer changes. Writes wait while leadership is on its way. */
class LeaderTransferTest {
  /** Only the leader is left to be restarted. */
  private static Scene lastOfARoll() {
    Scene scene = Scene.of(3);
    scene.template = "t2";
    return scene.pod(1, pod -> Change.template(pod, "t2")).pod(2, pod -> Change.template(pod, "t2"));
  }

  private static CurrentAction asked() {
    return lastOfARoll().plan().currentAction().orElseThrow();
  }

  private static CurrentAction ago(CurrentAction action, Duration since) {
    return Steps.transfer(withoutTried(action), action.target(), action.term(), Scene.NOW.minus(since));
  }

  private static CurrentAction withoutTried(CurrentAction from) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), from.target(), from.term(),
        from.tried().subList(0, from.tried().size() - 1), from.memberID(), from.podUID(), from.done(), from.outcome(), from.operation(), from.reason());
  }

  private static PodState started(PodState pod, Instant at) {
    return new PodState(pod.member(), pod.uid(), at, pod.templateHash(), pod.version(), true, true, false, pod.node(), "", 0, true);
  }

  @Test
  void theOneThatRunsLongestIsAskedAmongEquals() {
    Scene scene = lastOfARoll().pod(1, pod -> started(pod, Scene.NOW.minusSeconds(5))).pod(2, pod -> started(pod, Scene.NOW.minusSeconds(60)));
    assertThat(scene.plan().action()).contains(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
    scene.answer(2, answer -> Change.applied(answer, 4500));
    assertThat(scene.plan().action()).as("half a thousand entries behind").contains(new Action.TransferLeader("c-0", 0x100, "c-1", 0x101, 7));
    scene.answer(2, answer -> Change.applied(answer, 4950));
    assertThat(scene.plan().action()).as("as far behind as any busy follower").contains(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
  }

  @Test
  void aRequestIsRepeatedWhenItsOutcomeIsUnknownAndNotWhenTheLeaderAnswered() {
    assertThat(lastOfARoll().current(asked()).plan().action()).contains(new Action.TransferLeader("c-0", 0x100, "c-1", 0x101, 7));
    for (String outcome : List.of(CurrentAction.DONE, "c-0: etcdserver: request timed out, leader transfer took too long")) {
      Plan plan = lastOfARoll().current(Steps.outcome(asked(), outcome)).plan();
      assertThat(plan.action()).as(outcome).isEmpty();
      assertThat(plan.currentAction().orElseThrow().target()).isEqualTo("c-1");
    }
  }

  @Test
  void afterThreeSecondsTheOtherOneThreeAttemptsInAll() {
    CurrentAction first = ago(Steps.outcome(asked(), "no"), Duration.ofSeconds(3));
    Plan second = lastOfARoll().current(first).plan();
    assertThat(second.action()).contains(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
    Plan third = lastOfARoll().current(ago(second.currentAction().orElseThrow(), Duration.ofSeconds(3))).plan();
    assertThat(third.action()).contains(new Action.TransferLeader("c-0", 0x100, "c-1", 0x101, 7));
    assertThat(third.currentAction().orElseThrow().tried()).containsExactly("c-1", "c-2", "c-1");
    Plan end = lastOfARoll().current(ago(third.currentAction().orElseThrow(), Duration.ofSeconds(3))).plan();
    assertThat(end.action()).isEmpty();
    assertThat(end.currentAction()).isEmpty();
    assertThat(end.events()).extracting(event -> event.reason()).contains(EventReason.LEADER_TRANSFER_FAILED);
  }

  @Test
  void nobodyIsRestartedBeforeAMajorityNamesTheNewLeaderInAGreaterTerm() {
    CurrentAction asked = Steps.outcome(asked(), CurrentAction.DONE);
    Scene one = lastOfARoll().current(asked).answer(1, answer -> Change.leader(answer, 0x101, 8));
    assertThat(one.plan().action()).as("only the target says so").isEmpty();
    Scene majority = lastOfARoll().current(asked).answer(1, answer -> Change.leader(answer, 0x101, 8)).answer(2, answer -> Change.leader(answer, 0x101, 8));
    assertThat(majority.plan().action()).contains(new Action.DeletePod("c-0", "uid-0", "TemplateChanged"));
    Scene unanswered = lastOfARoll().current(asked).answer(1, answer -> Change.leader(answer, 0x101, 8)).answer(0, answer -> Change.leader(answer, 0x101, 8));
    unanswered.member(2).answer = null;
    assertThat(unanswered.plan().action()).as("one of those that must carry on did not answer").isEmpty();
  }

  @Test
  void aUsersWishIsTriedThreeTimes() {
    Scene scene = Scene.of(3).operation("o", Map.of("transferLeader", Map.of("to", "c-2")));
    CurrentAction action = scene.plan().currentAction().orElseThrow();
    for (int attempt = 2; attempt <= 3; attempt++) {
      Plan plan = scene.current(ago(Steps.outcome(action, "no"), Duration.ofSeconds(3))).plan();
      assertThat(plan.action()).contains(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
      action = plan.currentAction().orElseThrow();
    }
    assertThat(scene.current(ago(Steps.outcome(action, "no"), Duration.ofSeconds(3))).plan().currentAction()).isEmpty();
  }
}
