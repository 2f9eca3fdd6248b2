package io.kvorum.operator.status;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Certificate;
import io.kvorum.operator.api.KvorumClusterStatus.Leader;
import io.kvorum.operator.api.KvorumClusterStatus.Member;
import io.kvorum.operator.api.KvorumClusterStatus.Phase;
import io.kvorum.operator.api.KvorumClusterStatus.Quorum;
import io.kvorum.operator.api.KvorumClusterStatus.Storage;
import io.kvorum.operator.api.KvorumClusterStatus.Survivor;
import io.kvorum.operator.api.KvorumClusterStatus.Version;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.DataReport;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.BackupFacts;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.Steps;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * Makes statuses of what was observed and what was planned, in every pass, also when paused or frozen. Pure, and with {@link Conditions} the only
 * place that
 * sets a condition. Sizes and lags are rounded, so that a busy cluster's status is not written every second.
 */
public final class StatusWriter {
  private StatusWriter() {}

  /** The cluster's status after this plan and before its action. */
  public static KvorumClusterStatus status(Observation observation, Plan plan) {
    Situation situation = new Situation(observation);
    KvorumClusterStatus old = situation.status();
    Version version = version(situation, old);
    return new KvorumClusterStatus(
        observation.cluster().getMetadata().getGeneration(),
        phase(situation, plan),
        summary(situation),
        situation.voterCount(),
        "kvorum.io/cluster=" + observation.cluster().getMetadata().getName(),
        Api.id(plan.clusterId()),
        leader(situation, old),
        version,
        quorum(situation),
        situation.members().stream().map(member -> member(member, plan)).toList(),
        plan.currentAction().orElse(null),
        plan.nextOrdinal(),
        observation.facts().templateHash(),
        storage(situation),
        BackupFacts.status(situation),
        observation.facts().certificates().certificates().stream().map(one -> new Certificate(one.name(), Api.time(one.notAfter()))).toList(),
        survivors(situation),
        Conditions.of(situation, plan),
        plan.memory());
  }

  /** The members' statuses after this plan, with their conditions, by name; only those that differ from what is stored. */
  public static Map<String, KvorumMemberStatus> members(Observation observation, Plan plan) {
    Situation situation = new Situation(observation);
    Map<String, KvorumMemberStatus> changed = new TreeMap<>();
    for (MemberView member : situation.members()) {
      KvorumMemberStatus status = plan.members().get(member.name());
      if (status != null) {
        KvorumMemberStatus whole = Conditions.member(situation, member, status);
        if (!whole.equals(member.status())) {
          changed.put(member.name(), whole);
        }
      }
    }
    return changed;
  }

  /**
   * The status once the plan's action was carried out.
   *
   * @param failure what went wrong, empty when nothing did
   */
  public static KvorumClusterStatus outcome(KvorumClusterStatus written, String failure) {
    if (written.currentAction() == null) {
      return written;
    }
    String outcome = failure.isEmpty() ? CurrentAction.DONE : failure.substring(0, Math.min(failure.length(), 1000));
    return new KvorumClusterStatus(
        written.observedGeneration(), written.phase(), written.summary(), written.replicas(), written.selector(), written.clusterID(), written.leader(),
        written.version(), written.quorum(), written.members(), Steps.outcome(written.currentAction(), outcome), written.nextMemberOrdinal(),
        written.targetHash(), written.storage(), written.backup(), written.certificates(), written.survivors(), written.conditions(), written.memory());
  }

  private static Phase phase(Situation situation, Plan plan) {
    Reason reason = plan.progress().reason();
    if (situation.cluster().getMetadata().getDeletionTimestamp() != null) {
      return Phase.DELETING;
    }
    if (situation.spec().paused()) {
      return Phase.PAUSED;
    }
    if (situation.spec().hibernated()) {
      return Phase.HIBERNATED;
    }
    if (plan.clusterId() == 0) {
      boolean restoring = situation.spec().bootstrap() != null && situation.spec().bootstrap().recovery() != null;
      return restoring ? Phase.RESTORING : situation.members().isEmpty() ? Phase.PENDING : Phase.BOOTSTRAPPING;
    }
    if (plan.rung().equals("Identity")) {
      return Phase.FAILED;
    }
    if (plan.currentAction().map(action -> action.type() == CurrentAction.Type.RESTORE_IN_PLACE).orElse(false)) {
      return Phase.RESTORING;
    }
    if (!situation.quorumAvailable()) {
      return Phase.QUORUM_LOST;
    }
    return switch (reason) {
      case SCALING_UP, SCALING_DOWN -> Phase.SCALING;
      case ROLLING_UPDATE -> Phase.UPDATING;
      default -> situation.healthyVoters().size() < situation.voterCount() ? Phase.DEGRADED : Phase.RUNNING;
    };
  }

  private static String summary(Situation situation) {
    int learners = situation.learners().size();
    return situation.healthyVoters().size() + "/" + situation.spec().replicas() + (learners == 0 ? "" : "+" + learners + "L");
  }

  private static Leader leader(Situation situation, KvorumClusterStatus old) {
    Optional<MemberView> leading = situation.leading();
    if (leading.isEmpty()) {
      return null;
    }
    String id = Api.id(leading.get().id());
    boolean same = old.leader() != null && id.equals(old.leader().memberID());
    return new Leader(leading.get().name(), id, situation.leader().orElseThrow().term(), same ? old.leader().since() : Api.time(situation.at()));
  }

  /** The version that all voters run, as long as they differ the one before; and the wanted one, unless it is refused. */
  private static Version version(Situation situation, KvorumClusterStatus old) {
    String before = old.version() == null || old.version().cluster() == null ? "" : old.version().cluster();
    List<String> running = situation.voters().stream().map(voter -> voter.answer().map(MemberAnswer::kvorumVersion).orElse("")).distinct().toList();
    boolean agreed = running.size() == 1 && !running.getFirst().isEmpty();
    boolean refused = SpecCheck.check(situation).map(refusal -> refusal.reason() == SpecCheck.Reason.UNSUPPORTED_VERSION_PATH).orElse(false);
    String target = refused ? old.version() == null || old.version().target() == null ? before : old.version().target() : situation.spec().version();
    return new Version(agreed ? running.getFirst() : before, target);
  }

  private static Quorum quorum(Situation situation) {
    int voters = situation.voterCount();
    int healthy = situation.healthyVoters().size();
    int required = voters == 0 ? 0 : Situation.quorum(voters);
    return new Quorum(voters, healthy, situation.learners().size(), required, Math.max(0, healthy - required));
  }

  private static Member member(MemberView member, Plan plan) {
    KvorumMemberStatus status = plan.members().getOrDefault(member.name(), member.status());
    return new Member(
        member.name(), status.memberID(), status.role(), status.phase(), member.podReady(), status.version(), status.templateHash(), status.lagEntries(),
        member.answer().map(answer -> Sizes.coarse(answer.databaseBytes())).orElse(null),
        member.answer().map(answer -> Sizes.coarse(answer.inUseBytes())).orElse(null), status.zone(), status.nodeName());
  }

  private static Storage storage(Situation situation) {
    long database = largest(situation, MemberAnswer::databaseBytes);
    long used = largest(situation, MemberAnswer::inUseBytes);
    List<String> pending = situation.members().stream()
        .filter(member -> member.claim()
            .map(claim -> claim.requestedBytes() < situation.spec().storage().bytes() || claim.fileSystemResizePending()
                || (claim.bound() && claim.actualBytes() < claim.requestedBytes())).orElse(false))
        .map(MemberView::name).toList();
    return new Storage(Sizes.text(database), Sizes.text(used), (int) (used * 100 / situation.spec().effectiveQuota()), pending);
  }

  private static long largest(Situation situation, ToLongFunction<MemberAnswer> size) {
    return situation.members().stream().flatMap(member -> member.answer().stream()).mapToLong(size).max().orElse(0);
  }

  private static List<Survivor> survivors(Situation situation) {
    if (situation.clusterId() == 0 || situation.quorumAvailable() || situation.spec().hibernated()) {
      return List.of();
    }
    return situation.members().stream().filter(member -> member.id() != 0).map(member -> survivor(situation, member)).toList();
  }

  private static Survivor survivor(Situation situation, MemberView member) {
    String volume = member.claim().isEmpty() ? "Missing" : member.claim().get().lost() ? "Lost" : "Present";
    if (member.answer().isPresent()) {
      MemberAnswer answer = member.answer().get();
      return new Survivor(member.name(), answer.raftIndex(), answer.lastLogTerm(), answer.revision(), volume);
    }
    Optional<DataReport> report = situation.observation().data().stream().filter(found -> found.member().equals(member.name())).findFirst();
    return report
        .map(found -> new Survivor(member.name(), found.lastIndex(), found.lastTerm(), found.revision(), found.readable() ? volume : "Unreadable"))
        .orElseGet(() -> new Survivor(member.name(), null, null, null, volume));
  }

  /** Words on why a member's pod does not run, empty when it does. */
  static String waiting(MemberView member) {
    return member.pod().map(PodState::waitingReason).filter(reason -> !reason.isEmpty()).map(reason -> member.name() + ": " + reason).orElse("");
  }
}
