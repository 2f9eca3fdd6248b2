package io.kvorum.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.engine.ClusterEngine;
import io.kvorum.operator.metrics.ClusterMetrics;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.runtime.kubernetes.KubernetesRuntime;
import io.kvorum.operator.store.GrpcStoreAdmin;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** One pass of the engine for each event of a cluster, of what it owns, or of time. One cluster is never in two passes. */
@ControllerConfiguration(name = "kvorumcluster", finalizerName = Api.FINALIZER)
public final class ClusterReconciler implements Reconciler<KvorumCluster>, Cleaner<KvorumCluster> {
  private static final Logger LOG = Logger.getLogger(ClusterReconciler.class.getName());
  private static final Duration AFTER_CONFLICT = Duration.ofMillis(500);

  private final Informers informers;
  private final Function<ResourceID, Unit> units;
  private final ClusterMetrics metrics;
  private final Map<ResourceID, Unit> known = new ConcurrentHashMap<>();

  /** What one cluster needs from pass to pass. */
  public record Unit(ClusterEngine engine, GrpcStoreAdmin store) {}

  /**
   * @param informers caches that the units read
   * @param units makes a unit for a cluster
   * @param metrics counts what passes do
   */
  public ClusterReconciler(Informers informers, Function<ResourceID, Unit> units, ClusterMetrics metrics) {
    this.informers = informers;
    this.units = units;
    this.metrics = metrics;
  }

  @Override
  public List<EventSource<?, KvorumCluster>> prepareEventSources(EventSourceContext<KvorumCluster> context) {
    return informers.sources(context);
  }

  @Override
  public UpdateControl<KvorumCluster> reconcile(KvorumCluster cluster, Context<KvorumCluster> context) {
    return UpdateControl.<KvorumCluster>noUpdate().rescheduleAfter(pass(ResourceID.fromResource(cluster)));
  }

  @Override
  public DeleteControl cleanup(KvorumCluster cluster, Context<KvorumCluster> context) {
    return DeleteControl.noFinalizerRemoval().rescheduleAfter(pass(ResourceID.fromResource(cluster)).toMillis());
  }

  /** @return when the next pass is due at the latest */
  private Duration pass(ResourceID id) {
    long began = System.nanoTime();
    try {
      ClusterEngine.Outcome outcome = known.computeIfAbsent(id, units).engine().pass();
      metrics.passed(id.getNamespace().orElse(""), id.getName(), outcome, since(began));
      if (!outcome.failure().isEmpty()) {
        LOG.log(Level.WARNING, "{0}: {1} had no effect: {2}", new Object[] {id, outcome.plan().action().orElseThrow(), outcome.failure()});
      }
      if (outcome.plan().action().orElse(null) instanceof Action.FinishDeletion) {
        forget(id);
      }
      return outcome.plan().requeueAfter();
    } catch (KubernetesRuntime.GoneException e) {
      forget(id);
      return AFTER_CONFLICT;
    } catch (KubernetesClientException e) {
      metrics.failed(id.getNamespace().orElse(""), id.getName(), since(began));
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT && e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
      LOG.log(Level.FINE, "{0}: somebody else wrote first, or deleted it: {1}", new Object[] {id, e.getMessage()});
      return AFTER_CONFLICT;
    }
  }

  private static Duration since(long began) {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  private void forget(ResourceID id) {
    metrics.forget(id.getNamespace().orElse(""), id.getName());
    Unit unit = known.remove(id);
    if (unit != null) {
      unit.store().close();
    }
  }
}
