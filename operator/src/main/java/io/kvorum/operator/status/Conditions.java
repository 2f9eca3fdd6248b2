package io.kvorum.operator.status;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.Condition.Status;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.BackupFacts;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.rung.Authentication;
import io.kvorum.operator.plan.rung.Identity;
import io.kvorum.operator.plan.rung.QuorumLoss;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The conditions of one pass. A transition time changes when the status does and not before. */
final class Conditions {
  private static final Duration EXPIRES_SOON = Duration.ofDays(7);

  /** What a status takes of what may be long. */
  private static final int MESSAGE = 2_000;

  private final Situation situation;
  private final Plan plan;
  private final List<Condition> found = new ArrayList<>();

  private Conditions(Situation situation, Plan plan) {
    this.situation = situation;
    this.plan = plan;
  }

  static List<Condition> of(Situation situation, Plan plan) {
    Conditions all = new Conditions(situation, plan);
    all.ready();
    all.quorum();
    all.progressing();
    all.degraded();
    all.accepted();
    all.identity();
    all.data();
    all.storage();
    all.certificates();
    all.backup();
    all.spread();
    all.workloads();
    all.attention();
    return List.copyOf(all.found);
  }

  /** A member's status with its conditions. */
  static KvorumMemberStatus member(Situation situation, MemberView member, KvorumMemberStatus status) {
    boolean healthy = situation.healthy(member);
    String why = healthy ? "Serving" : member.volumeLost() ? "VolumeLost" : member.pod().isEmpty() ? "NoPod"
        : member.podReady() ? member.answer().isPresent() ? "NoLeader" : "NoAnswer" : "NotReady";
    boolean version = status.version().equals(situation.spec().version());
    List<Condition> conditions = List.of(
        carried(status.conditions(), "Ready", healthy ? Status.TRUE : Status.FALSE, why, StatusWriter.waiting(member), situation),
        carried(status.conditions(), "VersionMatches", version ? Status.TRUE : Status.FALSE, version ? "Matches" : "Differs", "", situation));
    return new KvorumMemberStatus(
        status.memberID(), status.role(), status.phase(), status.podName(), status.podUID(), status.nodeName(), status.zone(), status.templateHash(),
        status.version(), status.attempts(), status.lastTransition(), status.lagEntries(), status.unhealthySince(), status.caughtUp(),
        status.restartReasons(), conditions);
  }

  private void ready() {
    if (situation.spec().hibernated()) {
      set("Ready", Status.FALSE, "Hibernated", "");
    } else if (plan.clusterId() == 0) {
      set("Ready", Status.FALSE, "Bootstrapping", plan.progress().message());
    } else if (!situation.quorumAvailable()) {
      set("Ready", Status.FALSE, "QuorumLost", "");
    } else if (situation.voterCount() != situation.spec().replicas() || !situation.learners().isEmpty()) {
      set("Ready", Status.FALSE, "Scaling", situation.voterCount() + " voters, " + situation.learners().size() + " learners");
    } else if (situation.healthyVoters().size() < situation.voterCount()) {
      set("Ready", Status.FALSE, "MembersUnhealthy", unhealthy());
    } else if (situation.voters().stream().anyMatch(situation::outdated)) {
      set("Ready", Status.FALSE, "Updating", plan.progress().message());
    } else if (Authentication.pending(situation)) {
      set("Ready", Status.FALSE, "Updating", "authentication is about to be switched " + (situation.spec().wantsAuth() ? "on" : "off"));
    } else {
      set("Ready", Status.TRUE, "AllHealthy", "");
    }
  }

  private String unhealthy() {
    return situation.voters().stream().filter(voter -> !situation.healthy(voter))
        .map(voter -> StatusWriter.waiting(voter).isEmpty() ? voter.name() : StatusWriter.waiting(voter)).collect(Collectors.joining(", "));
  }

  private void quorum() {
    if (situation.quorumAvailable()) {
      set("QuorumAvailable", Status.TRUE, "LeaderAgreed", "");
      return;
    }
    if (situation.clusterId() == 0 || situation.spec().hibernated()) {
      set("QuorumAvailable", Status.FALSE, situation.clusterId() == 0 ? "Bootstrapping" : "Hibernated", "");
      return;
    }
    switch (QuorumLoss.kind(situation)) {
      case ELECTING -> set("QuorumAvailable", Status.FALSE, "LeaderElecting", "");
      case TRANSIENT -> set("QuorumAvailable", Status.FALSE, "TransientLoss", "members are missing, their volumes are there");
      case PERMANENT -> set(
          "QuorumAvailable", Status.FALSE, "PermanentLoss", "a majority has lost its data, see status.survivors; " + BackupFacts.newestVerified(situation));
      case UNOBSERVABLE -> set("QuorumAvailable", Status.UNKNOWN, "Unobservable", "the members do not answer the operator");
    }
  }

  private void progressing() {
    Reason reason = plan.progress().reason();
    Status status = switch (reason) {
      case STABLE, WAITING_FOR_USER, DEADLINE_EXCEEDED, PAUSED, FROZEN -> Status.FALSE;
      default -> Status.TRUE;
    };
    set("Progressing", status, text(reason), plan.progress().guard().isEmpty() ? plan.progress().message()
        : plan.progress().guard() + " " + plan.progress().message());
  }

  private void degraded() {
    boolean expected = situation.clusterId() != 0 && !situation.spec().hibernated();
    int healthy = situation.healthyVoters().size();
    boolean lagging = situation.healthyVoters().stream().anyMatch(voter -> !situation.caughtUp(voter));
    if (expected && healthy < situation.voterCount()) {
      set("Degraded", Status.TRUE, "MembersUnhealthy", unhealthy());
    } else if (expected && situation.spec().replicas() >= 3 && situation.voterCount() < 3) {
      set("Degraded", Status.TRUE, "LowFaultTolerance", "no voter may fail");
    } else if (expected && lagging) {
      set("Degraded", Status.TRUE, "MemberLagging", "");
    } else if (expected && ClockSkew.of(situation).isPresent()) {
      set("Degraded", Status.TRUE, "ClockSkew", ClockSkew.of(situation).get());
    } else {
      set("Degraded", Status.FALSE, "Healthy", "");
    }
  }

  private void accepted() {
    Optional<SpecCheck.Refusal> refusal = SpecCheck.check(situation);
    set("SpecAccepted", refusal.isPresent() ? Status.FALSE : Status.TRUE, refusal.map(found -> text(found.reason())).orElse("Accepted"),
        refusal.map(SpecCheck.Refusal::message).orElse(""));
  }

  private void identity() {
    Optional<Identity.Finding> finding = Identity.find(situation);
    set("ClusterIdentityConsistent", finding.isPresent() ? Status.FALSE : Status.TRUE, finding.map(wrong -> text(wrong.problem())).orElse("OneCluster"),
        finding.map(Identity.Finding::message).orElse(""));
  }

  private void data() {
    Optional<MemberView> corrupt = situation.members().stream().filter(MemberView::corrupt).findFirst();
    if (corrupt.isPresent()) {
      set("DataConsistent", Status.FALSE, "CorruptAlarm", corrupt.get().name() + " differs from the others");
    } else if (!plan.memory().hashMismatch().isEmpty()) {
      set("DataConsistent", Status.FALSE, "HashMismatch", plan.memory().hashMismatch());
    } else {
      set("DataConsistent", Status.TRUE, "NoAlarm", "");
    }
  }

  private void storage() {
    boolean full = situation.observation().store().alarms().stream().anyMatch(alarm -> alarm.kind() == ActiveAlarm.Kind.NOSPACE);
    long used = situation.members().stream().flatMap(member -> member.answer().stream()).mapToLong(MemberAnswer::databaseBytes).max().orElse(0);
    Optional<MemberView> stuck = situation.members().stream().filter(member -> member.claim().flatMap(ClaimState::resizeProblem).isPresent()).findFirst();
    if (full) {
      set("StorageHealthy", Status.FALSE, "QuotaExceeded", "writes are refused until space is reclaimed and the alarm disarmed");
    } else if (stuck.isPresent()) {
      set("StorageHealthy", Status.FALSE, "ResizeFailed", stuck.get().name() + ": " + stuck.get().claim().orElseThrow().resizeProblem().orElseThrow().message());
    } else if (used > situation.spec().effectiveQuota() / 10 * 9) {
      set("StorageHealthy", Status.FALSE, "DiskNearlyFull", "the database is above nine tenths of its quota");
    } else {
      set("StorageHealthy", Status.TRUE, "EnoughSpace", "");
    }
  }

  private void certificates() {
    Certificates certificates = situation.facts().certificates();
    Instant now = situation.at();
    Optional<String> expired = certificates.certificates().stream().filter(one -> one.notAfter().isBefore(now)).map(one -> one.name()).findFirst();
    Optional<String> soon =
        certificates.certificates().stream().filter(one -> one.notAfter().isBefore(now.plus(EXPIRES_SOON))).map(one -> one.name()).findFirst();
    if (expired.isPresent()) {
      set("CertificatesValid", Status.FALSE, "Expired", expired.get());
    } else if (soon.isPresent()) {
      set("CertificatesValid", Status.FALSE, "ExpiringSoon", soon.get());
    } else if (certificates.phase() != Certificates.Phase.STABLE) {
      set("CertificatesValid", Status.TRUE, "RotationInProgress", text(certificates.phase()));
    } else {
      set("CertificatesValid", Status.TRUE, "Valid", "");
    }
  }

  private void backup() {
    BackupFacts.Health health = BackupFacts.health(situation);
    set("BackupHealthy", health.status(), health.reason(), health.message());
  }

  private void spread() {
    int voters = situation.voterCount();
    long node = most(member -> member.pod().map(pod -> pod.node()).orElse(""));
    long zone = most(MemberView::zone);
    long zones = situation.voters().stream().map(MemberView::zone).filter(name -> !name.isEmpty()).distinct().count();
    if (voters > 1 && node > voters - Situation.quorum(voters)) {
      set("FaultDomainsSpread", Status.FALSE, "SharedNode", node + " of " + voters + " voters run on one node");
    } else if (voters > 1 && zones > 1 && zone > voters - Situation.quorum(voters)) {
      set("FaultDomainsSpread", Status.FALSE, "SharedZone", zone + " of " + voters + " voters run in one zone");
    } else {
      set("FaultDomainsSpread", Status.TRUE, "Spread", zone > 0 ? "at most " + zone + " voters in one zone" : "");
    }
  }

  private void workloads() {
    List<String> problems = situation.facts().workloadProblems();
    String all = String.join("; ", problems);
    String message = all.length() > MESSAGE ? all.substring(0, MESSAGE) : all;
    set("WorkloadsServed", problems.isEmpty() ? Status.TRUE : Status.FALSE, problems.isEmpty() ? "Served" : "Problems", message);
  }

  private long most(Function<MemberView, String> place) {
    Map<String, Long> counts = situation.voters().stream().map(place).filter(name -> !name.isEmpty())
        .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    return counts.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }

  private void attention() {
    String name = situation.cluster().getMetadata().getName();
    boolean lost = situation.clusterId() != 0 && !situation.spec().hibernated() && !situation.quorumAvailable()
        && QuorumLoss.kind(situation) == QuorumLoss.Kind.PERMANENT;
    if (Identity.find(situation).isPresent()) {
      set("OperatorAttention", Status.TRUE, "InterventionNeeded", "look at etcdctl member list and status --cluster; everything is frozen until they agree");
    } else if (lost) {
      set("OperatorAttention", Status.TRUE, "InterventionNeeded", "kubectl kvorum recover " + name + "; " + BackupFacts.newestVerified(situation));
    } else if (!plan.memory().hashMismatch().isEmpty()) {
      set("OperatorAttention", Status.TRUE, "InterventionNeeded", plan.memory().hashMismatch() + "; kubectl kvorum replace " + name + " MEMBER");
    } else if (plan.progress().reason() == Reason.WAITING_FOR_USER || plan.progress().reason() == Reason.DEADLINE_EXCEEDED) {
      set("OperatorAttention", Status.TRUE, "InterventionNeeded", plan.progress().message());
    } else {
      set("OperatorAttention", Status.FALSE, "None", "");
    }
  }

  private void set(String type, Status status, String reason, String message) {
    found.add(carried(situation.status().conditions(), type, status, reason, message, situation));
  }

  private static Condition carried(List<Condition> old, String type, Status status, String reason, String message, Situation situation) {
    String since = old.stream().filter(condition -> condition.type().equals(type) && condition.status() == status)
        .map(Condition::lastTransitionTime).findFirst().orElse(Api.time(situation.at()));
    return new Condition(type, status, reason, message, since, situation.cluster().getMetadata().getGeneration());
  }

  /** A constant as conditions write it, e.g. "RollingUpdate". */
  private static String text(Enum<?> constant) {
    StringBuilder text = new StringBuilder();
    for (String word : constant.name().split("_")) {
      text.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return text.toString();
  }
}
