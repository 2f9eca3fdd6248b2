package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.HashComparison;
import io.kvorum.operator.observe.HashComparison.MemberHash;
import io.kvorum.operator.observe.HashComparison.Verdict;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When members' data is compared, what follows from hashes, and what is said of it. */
class DataComparisonTest {
  private static HashComparison comparison(String hashes) {
    List<MemberHash> parsed =
        Arrays.stream(hashes.split(" ")).filter(text -> !text.isEmpty()).map(text -> text.split(":"))
            .map(parts -> new MemberHash(parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]))).toList();
    return new HashComparison(Scene.NOW, 900, parsed);
  }

  private static Memory compared(String last, String mismatch) {
    return Scene.compared(Memory.EMPTY, last, mismatch);
  }

  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {
    "a:5:1 b:5:1 c:5:1; 3; same", "a:5:1 b:5:1; 2; same", "a:5:1 b:5:1; 3; undecided", "a:5:1; 1; undecided", "''; 3; undecided",
    "a:5:1 b:5:1 c:5:2; 3; c differs from a, b at revision 900", "a:5:9 b:5:1 c:5:1; 3; a differs from b, c at revision 900",
    "a:5:1 b:5:2; 2; a, b differ at revision 900", "a:5:1 b:5:2 c:5:3; 3; a, b, c differ at revision 900",
    "a:5:1 b:6:2 c:7:3; 3; undecided", "a:5:1 b:5:1 c:6:2; 3; undecided", "a:5:1 b:5:3 c:6:2; 3; a, b differ at revision 900"
  })
  void onlyHashesOfOneCompactionAreComparable(String hashes, int voters, String expected) {
    String found = switch (comparison(hashes).verdict(voters)) {
      case Verdict.Same same -> "same";
      case Verdict.Undecided undecided -> "undecided";
      case Verdict.Different different -> different.text();
    };
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void anHourAfterTheLastAllVotersAreComparedAtARevisionThatEveryoneHas() {
    Scene scene = Scene.of(3).memory(compared("2026-06-01T11:00:01Z", ""));
    assertThat(scene.plan().action()).isEmpty();
    scene.memory(compared("2026-06-01T11:00:00Z", ""));
    Plan plan = scene.plan();
    assertThat(plan.action()).contains(new Action.CompareData(List.of("c-0", "c-1", "c-2"), 4000));
    assertThat(plan.memory().lastComparison()).isEqualTo("2026-06-01T12:00:00Z");
    assertThat(plan.currentAction()).isEmpty();
  }

  @Test
  void aLargeDatabaseIsComparedLessOften() {
    Scene scene = Scene.of(3).memory(compared("2026-06-01T02:00:00Z", ""));
    scene.answer(1, answer -> Change.sizes(answer, 36L << 30, 1 << 30));
    assertThat(scene.plan().action()).as("10 hours after the last, 36 GiB at 1 MiB/s take 10.24").isEmpty();
    scene.memory(compared("2026-06-01T01:00:00Z", ""));
    assertThat(scene.plan().action().orElseThrow()).isInstanceOf(Action.CompareData.class);
  }

  @Test
  void nothingIsComparedWhileAVoterIsNotWellOrThereIsOnlyOne() {
    Memory due = compared("2026-05-01T00:00:00Z", "");
    assertThat(Scene.of(3).memory(due).dead(2, "2026-06-01T11:59:59Z").plan().action()).isEmpty();
    assertThat(Scene.of(3).memory(due).answer(1, answer -> Change.applied(answer, 10)).plan().action()).isEmpty();
    assertThat(Scene.of(1).memory(due).plan().action()).isEmpty();
  }

  @Test
  void aDifferenceIsSaidOnceAndKeptUntilAComparisonFindsNone() {
    Scene scene = Scene.of(3);
    scene.comparison = Optional.of(comparison("c-0:5:1 c-1:5:2 c-2:5:1"));
    Plan plan = scene.plan();
    assertThat(plan.events()).extracting(event -> event.reason()).containsExactly(EventReason.HASH_MISMATCH);
    Condition data = scene.written().condition("DataConsistent").orElseThrow();
    assertThat(data.status()).isEqualTo(Condition.Status.FALSE);
    assertThat(data.reason()).isEqualTo("HashMismatch");
    assertThat(data.message()).isEqualTo("c-1 differs from c-0, c-2 at revision 900");
    assertThat(scene.written().condition("OperatorAttention").orElseThrow().message()).endsWith("kubectl kvorum replace c MEMBER");

    scene.memory(plan.memory());
    assertThat(scene.plan().events()).isEmpty();
    scene.comparison = Optional.empty();
    assertThat(scene.written().condition("DataConsistent").orElseThrow().reason()).as("another operator took over").isEqualTo("HashMismatch");
    scene.comparison = Optional.of(comparison("c-0:5:1 c-1:5:1 c-2:5:1"));
    assertThat(scene.plan().events()).extracting(event -> event.reason()).containsExactly(EventReason.HASHES_AGREE);
    assertThat(scene.written().condition("DataConsistent").orElseThrow().status()).isEqualTo(Condition.Status.TRUE);
  }

  @Test
  void afterADifferenceItIsLookedAtAgainSoonAndASingleVoterDiffersFromNobody() {
    assertThat(Scene.of(3).memory(compared("2026-06-01T11:55:00Z", "c-1 differs")).plan().action().orElseThrow()).isInstanceOf(Action.CompareData.class);
    assertThat(Scene.of(3).memory(compared("2026-06-01T11:56:00Z", "c-1 differs")).plan().action()).isEmpty();
    Scene single = Scene.of(1).memory(compared("2026-06-01T11:56:00Z", "c-1 differs"));
    assertThat(single.plan().memory().hashMismatch()).isEmpty();
  }
}
