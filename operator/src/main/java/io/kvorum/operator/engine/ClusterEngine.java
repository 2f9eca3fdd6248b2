package io.kvorum.operator.engine;

import io.kvorum.operator.act.Executor;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.plan.Plan;
import io.kvorum.operator.runtime.ClusterRuntime;
import io.kvorum.operator.status.StatusWriter;
import io.kvorum.operator.store.StoreAdmin;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One pass over one cluster: observe, plan, write, act.
 *
 * <p>What must be known after a crash is written before anything is done: member statuses, the cluster's status with the procedure under way, operations,
 * events; the action comes last. A write that fails ends the pass. Everything is read anew by the next pass, so a pass that ended anywhere is finished by it.
 */
public final class ClusterEngine {
  private final ClusterRuntime runtime;
  private final StoreAdmin store;
  private final Executor executor;
  private final Function<Observation, Plan> planner;
  private final BiFunction<Observation, Plan, KvorumClusterStatus> reporter;
  private final Progress progress;

  /** Told of each side effect just after it; a test ends the process there. */
  public interface Progress {
    /** Nobody listens. */
    Progress NONE = point -> {};

    void reached(String point);
  }

  /**
   * What came of a pass.
   *
   * @param failure why the action did not take effect, empty when it did or when there was none; the next pass sees what came of it
   * @param status as it was written before the action
   */
  public record Outcome(Plan plan, String failure, KvorumClusterStatus status) {}

  /**
   * @param planner decides
   * @param reporter makes the status of what was seen and decided
   */
  public ClusterEngine(
      ClusterRuntime runtime, StoreAdmin store, Function<Observation, Plan> planner, BiFunction<Observation, Plan, KvorumClusterStatus> reporter,
      Progress progress) {
    this.runtime = runtime;
    this.store = store;
    this.executor = new Executor(runtime, store);
    this.planner = planner;
    this.reporter = reporter;
    this.progress = progress;
  }

  /** One pass; takes at most five seconds beside what the runtime itself takes, and ten minutes when it defragments. */
  public Outcome pass() {
    Observation seen = observe();
    runtime.applyBase(seen);
    progress.reached("base-applied");
    Plan plan = planner.apply(seen);
    KvorumCluster written = write(seen, plan);
    if (plan.action().isEmpty()) {
      return new Outcome(plan, "", written.getStatus());
    }
    String failure = "";
    try {
      executor.execute(plan.action().get(), seen);
    } catch (StoreAdmin.StoreException e) {
      failure = e.getMessage();
    }
    progress.reached("acted-" + plan.action().get().getClass().getSimpleName());
    if (plan.currentAction().isPresent()) {
      // Without this the next pass would have to issue the action again: it could not tell a crash before it from one after.
      runtime.writeStatus(with(written, StatusWriter.outcome(written.getStatus(), failure)));
      progress.reached("outcome-written");
    }
    return new Outcome(plan, failure, written.getStatus());
  }

  private Observation observe() {
    Observation around = runtime.surroundings();
    return new Observation(
        around.at(), around.cluster(), around.members(), around.pods(), around.claims(), around.nodes(), around.operations(), around.data(), around.backups(),
        runtime.recognise(store.observe(runtime.endpoints())), around.facts());
  }

  private KvorumCluster write(Observation seen, Plan plan) {
    Map<String, KvorumMemberStatus> statuses = StatusWriter.members(seen, plan);
    for (KvorumMember member : seen.members()) {
      KvorumMemberStatus status = statuses.get(member.getMetadata().getName());
      if (status != null) {
        KvorumMember changed = new KvorumMember();
        changed.setMetadata(member.getMetadata());
        changed.setSpec(member.getSpec());
        changed.setStatus(status);
        runtime.writeMember(changed);
        progress.reached("member-written");
      }
    }
    // An end before the procedure is forgotten, a beginning after it is recorded: a crash between the two is then seen for what it is.
    writeOperations(seen, plan, true);
    KvorumCluster written = runtime.writeStatus(with(seen.cluster(), reporter.apply(seen, plan)));
    progress.reached("status-written");
    writeOperations(seen, plan, false);
    plan.events().forEach(runtime::publish);
    return written;
  }

  private void writeOperations(Observation seen, Plan plan, boolean ended) {
    for (KvorumOperation operation : seen.operations()) {
      var status = plan.operations().get(operation.getMetadata().getName());
      if (status != null && status.phase().isFinal() == ended) {
        KvorumOperation changed = new KvorumOperation();
        changed.setMetadata(operation.getMetadata());
        changed.setSpec(operation.getSpec());
        changed.setStatus(status);
        runtime.writeOperation(changed);
        progress.reached("operation-written");
      }
    }
  }

  private static KvorumCluster with(KvorumCluster cluster, KvorumClusterStatus status) {
    KvorumCluster changed = new KvorumCluster();
    changed.setMetadata(cluster.getMetadata());
    changed.setSpec(cluster.getSpec());
    changed.setStatus(status);
    return changed;
  }
}
