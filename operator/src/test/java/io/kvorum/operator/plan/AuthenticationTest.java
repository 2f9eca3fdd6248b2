package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.event.EventReason;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Authentication goes on and off with the specification, and is left alone when the specification never asked for it. */
class AuthenticationTest {
  private static Scene wanted(boolean wanted, boolean enforced) {
    Scene scene = Scene.of(3).spec("auth", Map.of("enabled", wanted));
    scene.auth = Optional.of(enforced);
    return scene;
  }

  private static Scene wasWanted() {
    return wanted(false, true).memory(Scene.authenticated("c-root"));
  }

  @Test
  void wantedItIsEnabledAndTheSecretIsRemembered() {
    Plan plan = wanted(true, false).plan();
    assertThat(plan.action()).contains(new Action.EnableAuth());
    assertThat(plan.memory().rootSecret()).isEqualTo("c-root");
    assertThat(wanted(true, true).plan().memory().rootSecret()).isEqualTo("c-root");
    assertThat(Scene.of(3).spec("auth", Map.of("enabled", true, "rootCredentialsSecretRef", "mine")).plan().memory().rootSecret()).isEqualTo("mine");
  }

  @Test
  void noLongerWantedItIsSwitchedOff() {
    Plan plan = wasWanted().plan();
    assertThat(plan.action()).contains(new Action.DisableAuth());
    assertThat(plan.currentAction().orElseThrow().type()).isEqualTo(Type.DISABLE_AUTH);
    assertThat(plan.memory().rootSecret()).isEqualTo("c-root");
    Scene without = Scene.of(3).memory(Scene.authenticated("c-root"));
    without.auth = Optional.of(true);
    assertThat(without.plan().action()).as("the whole block was taken out").contains(new Action.DisableAuth());
  }

  @Test
  void nobodyIsToldReadyBeforeItIsAsTheSpecificationHasIt() {
    assertThat(ready(wanted(true, false))).isEqualTo("Updating");
    assertThat(ready(wanted(true, true))).isEqualTo("AllHealthy");
    assertThat(ready(wasWanted())).isEqualTo("Updating");
    assertThat(ready(wanted(false, true))).as("by hand").isEqualTo("AllHealthy");
    Scene unknown = wanted(true, false);
    unknown.auth = Optional.empty();
    assertThat(ready(unknown)).isEqualTo("AllHealthy");
  }

  private static String ready(Scene scene) {
    return scene.written().condition("Ready").orElseThrow().reason();
  }

  @Test
  void whatTheStoreItselfSaysEndsIt() {
    CurrentAction issued = Steps.outcome(wasWanted().plan().currentAction().orElseThrow(), CurrentAction.DONE);
    Plan again = wasWanted().current(issued).plan();
    assertThat(again.action()).as("done was said, and it is still on").contains(new Action.DisableAuth());
    Scene unknown = wasWanted().current(issued);
    unknown.auth = Optional.empty();
    assertThat(unknown.plan().action()).isEmpty();
    assertThat(unknown.plan().currentAction()).isPresent();
    Scene off = wasWanted().current(issued);
    off.auth = Optional.of(false);
    assertThat(off.plan().currentAction()).isEmpty();
    assertThat(off.plan().events()).extracting(event -> event.reason()).contains(EventReason.AUTH_DISABLED);
  }

  @Test
  void threeTimesInVainItIsGivenUpForAWhile() {
    CurrentAction action = wasWanted().plan().currentAction().orElseThrow();
    for (int i = 0; i < 2; i++) {
      action = wasWanted().current(Steps.outcome(action, "c-0: permission denied")).plan().currentAction().orElseThrow();
    }
    Plan last = wasWanted().current(Steps.outcome(action, "c-0: permission denied")).plan();
    assertThat(last.currentAction()).isEmpty();
    assertThat(last.memory().retryAfter()).isEqualTo("2026-06-01T12:00:30Z");
    assertThat(last.memory().rootSecret()).as("for the next attempt").isEqualTo("c-root");
  }

  @Test
  void offTheSecretIsForgottenSoThatAuthenticationByHandStays() {
    Scene off = wanted(false, false).memory(Scene.authenticated("c-root"));
    assertThat(off.plan().memory().rootSecret()).isEmpty();
    assertThat(wanted(false, true).plan().action()).isEmpty();
  }

  @Test
  void withoutTheSecretItSaysWhichIsMissing() {
    Scene scene = wasWanted();
    scene.missingSecrets = List.of("c-root");
    assertThat(scene.plan().action()).isEmpty();
    assertThat(scene.written().condition("SpecAccepted").orElseThrow().reason()).isEqualTo("MissingSecret");
    assertThat(scene.written().condition("SpecAccepted").orElseThrow().message()).isEqualTo("secret c-root does not exist");
  }
}
