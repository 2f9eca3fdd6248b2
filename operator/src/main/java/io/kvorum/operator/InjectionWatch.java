package io.kvorum.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.inject.Injection;
import io.kvorum.operator.inject.Outcome;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Tells, once each, of pods that ask for an agent and have none: the webhook lets every pod pass, also when it cannot help. */
@ControllerConfiguration(name = "injection", informer = @Informer(labelSelector = Declaration.INJECT))
public final class InjectionWatch implements Reconciler<Pod> {
  /** The cluster may be applied in the same breath as the pods that ask it; then its absence is not the reason any more. */
  static final Duration GRACE = Duration.ofSeconds(5);

  /** Pods that are remembered as told; the name of the Event keeps those beyond from being told twice. */
  private static final int REMEMBERED = 4096;

  private final Clock clock;
  private final Function<ClusterRef, Optional<KvorumCluster>> clusters;
  private final Defaults defaults;
  private final BiConsumer<PlannedEvent, HasMetadata> events;
  private final Set<String> told =
      Collections.synchronizedSet(
          Collections.newSetFromMap(
              new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                  return size() > REMEMBERED;
                }
              }));

  public InjectionWatch(
      Clock clock, Function<ClusterRef, Optional<KvorumCluster>> clusters, Defaults defaults, BiConsumer<PlannedEvent, HasMetadata> events) {
    this.clock = clock;
    this.clusters = clusters;
    this.defaults = defaults;
    this.events = events;
  }

  @Override
  public UpdateControl<Pod> reconcile(Pod pod, Context<Pod> context) {
    Duration wait = look(pod);
    return wait.isPositive() ? UpdateControl.<Pod>noUpdate().rescheduleAfter(wait) : UpdateControl.noUpdate();
  }

  /** @return after which time to look again, zero for not */
  Duration look(Pod pod) {
    if (Injection.present(pod) || pod.getMetadata().getDeletionTimestamp() != null || ended(pod) || told.contains(pod.getMetadata().getUid())) {
      return Duration.ZERO;
    }
    Duration age = Duration.between(Instant.parse(pod.getMetadata().getCreationTimestamp()), clock.instant());
    if (age.compareTo(GRACE) < 0) {
      return GRACE.minus(age);
    }
    events.accept(new PlannedEvent(EventReason.INJECTION_MISSING, "", why(Injection.decide(pod, pod.getMetadata().getNamespace(), clusters, defaults))), pod);
    told.add(pod.getMetadata().getUid());
    return Duration.ZERO;
  }

  private static String why(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Refused(List<String> reasons) -> "no kvorum-agent: " + String.join("; ", reasons);
      case Outcome.Patched patched ->
          "no kvorum-agent, though nothing stands against it: the webhook was not asked or did not answer when the pod was made, or the label came later; a pod that is"
              + " made anew gets one";
      case Outcome.Present() -> throw new IllegalStateException("it has one");
    };
  }

  private static boolean ended(Pod pod) {
    String phase = pod.getStatus() == null ? "" : pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }
}
