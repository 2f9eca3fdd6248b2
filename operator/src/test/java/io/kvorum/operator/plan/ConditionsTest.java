package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.Condition.Status;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conditions whose reason is a fault outside of the members' own procedures. */
class ConditionsTest {
  private static Condition condition(Scene scene, String type) {
    return scene.written().condition(type).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 5, Healthy", "0, 900, -50, 5, Healthy", "0, 1011, 0, 5, ClockSkew", "0, 1010, 0, 5, Healthy", "-700, 700, 0, 5, ClockSkew",
    "90000, 90000, 90000, 5, Healthy", "0, 3000, 0, 1600, Healthy", "0, 3000, 0, 900, ClockSkew"
  })
  void clocksThatAreSurelyMoreThanASecondApart(long first, long second, long third, long uncertainty, String reason) {
    Scene scene = Scene.of(3)
        .answer(0, answer -> Change.clock(answer, first, uncertainty))
        .answer(1, answer -> Change.clock(answer, second, uncertainty))
        .answer(2, answer -> Change.clock(answer, third, uncertainty));
    Condition degraded = condition(scene, "Degraded");
    assertThat(degraded.reason()).isEqualTo(reason);
    assertThat(degraded.status()).isEqualTo(reason.equals("Healthy") ? Status.FALSE : Status.TRUE);
  }

  @Test
  void theSkewIsToldRoundedAndAMemberThatTellsNoClockSaysNothing() {
    Scene scene = Scene.of(3).answer(0, answer -> Change.clock(answer, -2000, 3)).answer(2, answer -> Change.clock(answer, 37_412, 3));
    assertThat(condition(scene, "Degraded").message()).isEqualTo("the clock of c-2 is about 30 s ahead of that of c-0");
    assertThat(condition(Scene.of(3).answer(0, answer -> Change.clock(answer, -2000, 3)), "Degraded").reason()).isEqualTo("Healthy");
  }

  @Test
  void aVolumeThatDoesNotGrowIsToldAndAFullDatabaseBeforeIt() {
    Scene scene = Scene.of(3);
    scene.member(1).claim = Change.stuck(scene.member(1).claim, "no such storage", Scene.NOW);
    assertThat(condition(scene, "StorageHealthy").reason()).isEqualTo("ResizeFailed");
    assertThat(condition(scene, "StorageHealthy").status()).isEqualTo(Status.FALSE);
    assertThat(condition(scene, "StorageHealthy").message()).isEqualTo("c-1: no such storage");
    scene.spec("maintenance", Map.of("onQuotaExceeded", "Alert"));
    scene.alarms.add(new ActiveAlarm(0x100, ActiveAlarm.Kind.NOSPACE));
    assertThat(condition(scene, "StorageHealthy").reason()).isEqualTo("QuotaExceeded");
  }

  @Test
  void aRefusedGrowthIsAskedForAgainAfterFiveMinutes() {
    Scene scene = Scene.of(1).spec("storage", Map.of("size", "2Gi"));
    assertThat(scene.plan().action()).contains(new Action.GrowClaim("c-0", 2L << 30));
    scene.member(0).claim = Change.stuck(scene.member(0).claim, "forbidden", Scene.NOW.minus(Duration.ofMinutes(4)));
    assertThat(scene.plan().action()).isEmpty();
    scene.member(0).claim = Change.stuck(scene.member(0).claim, "forbidden", Scene.NOW.minus(Duration.ofMinutes(5)));
    assertThat(scene.plan().action()).contains(new Action.GrowClaim("c-0", 2L << 30));
  }

  @Test
  void workloadsThatDoNotGetTheirUserAreTold() {
    Scene scene = Scene.of(3);
    assertThat(condition(scene, "WorkloadsServed").status()).isEqualTo(Status.TRUE);
    scene.workloadProblems = List.of("shop/web: no", "x".repeat(4_000));
    assertThat(condition(scene, "WorkloadsServed").status()).isEqualTo(Status.FALSE);
    assertThat(condition(scene, "WorkloadsServed").message()).startsWith("shop/web: no; xxx").hasSizeLessThanOrEqualTo(2_048);
  }
}
