package io.kvorum.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Meters as the framework names them: those of one name have to have the same tags, or Prometheus refuses the second, and with it the operator's start. */
class CoreGroupTest {
  private final MeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void kindsOfTheCoreHaveTheTagsThatOthersHave() {
    registry.config().meterFilter(new CoreGroup());

    registry.counter("operator.sdk.events.received", "group", "kvorum.io", "version", "v1alpha1", "kind", "KvorumCluster").increment();
    registry.counter("operator.sdk.events.received", "version", "v1", "kind", "Secret").increment();

    Set<Set<String>> keys = registry.getMeters().stream().map(CoreGroupTest::keys).collect(Collectors.toSet());
    assertThat(keys).containsExactly(Set.of("group", "version", "kind"));
    assertThat(registry.getMeters()).extracting(meter -> meter.getId().getTag("group")).containsExactlyInAnyOrder("kvorum.io", "core");
  }

  @Test
  void theTimesOfTheirControllersToo() {
    registry.config().meterFilter(new CoreGroup());

    registry.timer("operator.sdk.controllers.execution.reconcile", "controller", "a", "resource.group", "kvorum.io", "resource.kind", "KvorumCluster").record(Duration.ZERO);
    registry.timer("operator.sdk.controllers.execution.reconcile", "controller", "b", "resource.kind", "Pod").record(Duration.ZERO);

    Set<Set<String>> keys = registry.getMeters().stream().map(CoreGroupTest::keys).collect(Collectors.toSet());
    assertThat(keys).containsExactly(Set.of("controller", "resource.group", "resource.kind"));
  }

  @Test
  void othersStayAsTheyAre() {
    registry.config().meterFilter(new CoreGroup());

    registry.counter("operator.sdk.reconciliations.queue", "name", "kvorumcluster").increment();
    registry.counter("kvorum.operator.passes", "kind", "Secret").increment();

    assertThat(registry.getMeters()).extracting(CoreGroupTest::keys).containsExactlyInAnyOrder(Set.of("name"), Set.of("kind"));
  }

  private static Set<String> keys(Meter meter) {
    List<Tag> tags = meter.getId().getTags();
    return tags.stream().map(Tag::getKey).collect(Collectors.toSet());
  }
}
