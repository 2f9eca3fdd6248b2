package io.kvorum.operator;

import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.runtime.kubernetes.WorkloadRuntime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** One pass over the workloads of a cluster for each event of it, of their pods and Secrets, or of time. One cluster is never in two passes. */
@ControllerConfiguration(name = "kvorumworkload")
public final class WorkloadReconciler implements Reconciler<KvorumCluster> {
  private static final Logger LOG = Logger.getLogger(WorkloadReconciler.class.getName());
  private static final Duration LOOK = Duration.ofSeconds(30);
  private static final Duration AT_ONCE = Duration.ofMillis(50);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final int DOUBLINGS = 5;

  private final WorkloadInformers informers;
  private final Function<ResourceID, WorkloadRuntime> runtimes;
  private final BiConsumer<ResourceID, List<String>> problems;
  private final Map<ResourceID, Unit> known = new ConcurrentHashMap<>();

  /** What one cluster needs from pass to pass. */
  private static final class Unit {
    private final WorkloadRuntime runtime;
    private int failures;

    Unit(WorkloadRuntime runtime) {
      this.runtime = runtime;
    }

    /** Doubled with each failure in a row, up to {@link #LOOK}. */
    Duration pause(boolean failed) {
      failures = failed ? Math.min(failures + 1, DOUBLINGS + 1) : 0;
      Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.max(0, failures - 1));
      return failed && pause.compareTo(LOOK) < 0 ? pause : LOOK;
    }
  }

  /**
   * @param runtimes makes what acts for a cluster
   * @param problems is told after each pass what its status should say
   */
  public WorkloadReconciler(WorkloadInformers informers, Function<ResourceID, WorkloadRuntime> runtimes, BiConsumer<ResourceID, List<String>> problems) {
    this.informers = informers;
    this.runtimes = runtimes;
    this.problems = problems;
  }

  @Override
  public List<EventSource<?, KvorumCluster>> prepareEventSources(EventSourceContext<KvorumCluster> context) {
    return informers.sources(context);
  }

  @Override
  public UpdateControl<KvorumCluster> reconcile(KvorumCluster cluster, Context<KvorumCluster> context) {
    forgetGone();
    ResourceID id = ResourceID.fromResource(cluster);
    if (cluster.getMetadata().getDeletionTimestamp() != null) {
      return UpdateControl.noUpdate();
    }
    Unit unit = known.computeIfAbsent(id, one -> new Unit(runtimes.apply(one)));
    WorkloadRuntime.Outcome outcome = unit.runtime.pass(cluster);
    problems.accept(id, outcome.problems());
    if (outcome.again() && !outcome.problems().isEmpty()) {
      LOG.log(Level.WARNING, "{0}: workloads: {1}", new Object[] {id, outcome.problems()});
    }
    return UpdateControl.<KvorumCluster>noUpdate().rescheduleAfter(outcome.more() && !outcome.again() ? AT_ONCE : unit.pause(outcome.again()));
  }

  /** Clusters end without a word to those who hold no finalizer. */
  private void forgetGone() {
    Set<ResourceID> present = informers.all();
    for (ResourceID id : Set.copyOf(known.keySet())) {
      Unit gone = present.contains(id) ? null : known.remove(id);
      if (gone != null) {
        problems.accept(id, List.of());
        gone.runtime.close();
      }
    }
  }
}
