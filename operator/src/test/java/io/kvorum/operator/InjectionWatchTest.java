package io.kvorum.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.desired.Examples;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InjectionWatchTest {
  private static final Instant MADE = Instant.parse("2026-03-01T12:00:00Z");

  private final List<PlannedEvent> events = new ArrayList<>();

  private InjectionWatch watch(Duration age) {
    return new InjectionWatch(
        Clock.fixed(MADE.plus(age), ZoneOffset.UTC), asked -> Optional.of(Examples.cluster("")).filter(one -> asked.name().equals("kv")), Examples.DEFAULTS,
        (event, about) -> events.add(event));
  }

  private static Pod pod(String cluster, String more) {
    return Serialization.unmarshal(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, uid: u1, creationTimestamp: '" + MADE + "', labels: {kvorum.io/inject: '" + cluster + "'}}\n"
            + "spec: {" + (more.contains("initContainers") ? more : "") + "containers: [{name: a, image: a}]}\n" + (more.contains("phase") ? more : ""),
        Pod.class);
  }

  @Test
  void aPodWithoutAnAgentIsToldOnceWithTheReason() {
    InjectionWatch watch = watch(Duration.ofSeconds(10));
    watch.look(pod("none", ""));
    watch.look(pod("none", ""));

    assertThat(events)
        .containsExactly(
            new PlannedEvent(EventReason.INJECTION_MISSING, "", "no kvorum-agent: there is no KvorumCluster shop/none that this operator looks after"));
    assertThat(EventReason.INJECTION_MISSING.text()).isEqualTo("InjectionMissing");
  }

  @Test
  void aPodThatTheWebhookMissedIsToldSo() {
    watch(Duration.ofSeconds(10)).look(pod("kv", ""));

    assertThat(events).singleElement().satisfies(event -> assertThat(event.message()).contains("the webhook was not asked or did not answer"));
  }

  @Test
  void aPodThatWasJustMadeIsLookedAtAgain() {
    assertThat(watch(Duration.ofSeconds(2)).look(pod("none", ""))).isEqualTo(Duration.ofSeconds(3));
    assertThat(events).isEmpty();
  }

  @Test
  void nothingIsToldOfAPodWithAnAgentOrOneThatHasEnded() {
    InjectionWatch watch = watch(Duration.ofSeconds(10));
    watch.look(pod("kv", "initContainers: [{name: kvorum-agent}], "));
    watch.look(pod("kv", "status: {phase: Succeeded}\n"));

    assertThat(events).isEmpty();
  }
}
