package io.kvorum.operator.plan;

import static java.util.function.Function.identity;
import static java.util.stream.Collectors.toMap;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.backup.Chains;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** An observation seen as members and voters: what rungs, guards and procedures ask about. Derived once for a pass, never changed. */
public final class Situation {
  /** An older answer says nothing. */
  public static final Duration FRESH = Duration.ofSeconds(5);

  /** The leader that a majority of voters names in the same term. */
  public record Leader(long id, long term) {}

  private final Observation observation;
  private final List<MemberView> members;
  private final Optional<Leader> leader;
  private final List<KvorumBackup> backups;

  public Situation(Observation observation) {
    this.observation = observation;
    this.members = view(observation);
    this.leader = agree();
    this.backups = observation.backups().all().stream()
        .filter(backup -> backup.getSpec().clusterRef().equals(observation.cluster().getMetadata().getName())).sorted(Chains.BY_AGE).toList();
  }

  private static List<MemberView> view(Observation observation) {
    Map<String, PodState> pods = new HashMap<>();
    for (PodState pod : observation.pods()) {
      // A new pod may appear while the old one of the same name is on its way out: the one that stays counts.
      pods.merge(pod.member(), pod, (one, other) -> one.terminating() ? other : one);
    }
    Map<String, ClaimState> claims =
        observation.claims().stream().filter(claim -> !claim.member().isEmpty()).collect(toMap(ClaimState::member, identity(), (one, other) -> one));
    Map<String, NodeState> nodes = observation.nodes().stream().collect(toMap(NodeState::name, identity(), (one, other) -> one));
    Map<String, MemberAnswer> answers = new HashMap<>();
    for (MemberAnswer answer : observation.store().answers()) {
      if (!answer.at().isBefore(observation.at().minus(FRESH))) {
        answers.put(answer.member(), answer);
      }
    }
    List<ListedMember> list = observation.store().membership().map(found -> found.members()).orElse(List.of());
    return observation.members().stream()
        .sorted(Comparator.comparing(member -> member.getSpec().ordinal()))
        .map(member -> {
          String name = member.getSpec().memberName();
          Optional<ListedMember> listed = list.stream().filter(entry -> entry.peerUrls().contains(member.getSpec().peerURL())).findFirst();
          Optional<PodState> pod = Optional.ofNullable(pods.get(name));
          boolean corrupt = listed.isPresent() && observation.store().alarms().contains(new ActiveAlarm(listed.get().id(), ActiveAlarm.Kind.CORRUPT));
          return new MemberView(
              member, pod, Optional.ofNullable(claims.get(name)), pod.flatMap(found -> Optional.ofNullable(nodes.get(found.node()))),
              Optional.ofNullable(answers.get(name)), listed, corrupt);
        })
        .toList();
  }

  private Optional<Leader> agree() {
    Map<Leader, Integer> votes = new HashMap<>();
    for (MemberView voter : voters()) {
      voter.answer().filter(answer -> answer.leaderId() != 0).ifPresent(answer -> votes.merge(new Leader(answer.leaderId(), answer.term()), 1, Integer::sum));
    }
    return votes.entrySet().stream().filter(entry -> entry.getValue() >= quorum(voterCount())).map(Map.Entry::getKey).findFirst();
  }

  /** Voters that are needed of so many. */
  public static int quorum(int voters) {
    return voters / 2 + 1;
  }

  public Observation observation() {
    return observation;
  }

  public Instant at() {
    return observation.at();
  }

  public KvorumCluster cluster() {
    return observation.cluster();
  }

  public KvorumClusterSpec spec() {
    return observation.cluster().getSpec();
  }

  /** The status that was last written. */
  public KvorumClusterStatus status() {
    return observation.cluster().getStatus() == null ? KvorumClusterStatus.EMPTY : observation.cluster().getStatus();
  }

  public Observation.Facts facts() {
    return observation.facts();
  }

  /** The procedure that is under way. */
  public Optional<CurrentAction> currentAction() {
    return Optional.ofNullable(status().currentAction());
  }

  /** A recovery of quorum or a restore in place is under way: members are stopped and identities change on purpose. */
  public boolean recovering() {
    return currentAction().filter(action -> action.type() == CurrentAction.Type.RECOVER_QUORUM || action.type() == CurrentAction.Type.RESTORE_IN_PLACE).isPresent();
  }

  /** The latched cluster id, 0 before the first. */
  public long clusterId() {
    return Api.id(status().clusterID());
  }

  /** The members, by ordinal. */
  public List<MemberView> members() {
    return members;
  }

  /** The member of this name. */
  public Optional<MemberView> member(String name) {
    return members.stream().filter(member -> member.name().equals(name)).findFirst();
  }

  /** A linearizable member list was read. */
  public boolean listed() {
    return observation.store().membership().isPresent();
  }

  /** All that vote, by ordinal. */
  public List<MemberView> voters() {
    return members.stream().filter(member -> member.voter(listed())).toList();
  }

  /** All that the cluster has accepted and that do not vote. */
  public List<MemberView> learners() {
    return members.stream().filter(member -> member.listed().isPresent() && member.listed().get().learner()).toList();
  }

  /** How many vote, those without a member object too. */
  public int voterCount() {
    return observation.store().membership().map(list -> (int) list.members().stream().filter(entry -> !entry.learner()).count())
        .orElseGet(() -> voters().size());
  }

  /** Entries of the member list that no member object stands for. */
  public List<ListedMember> strangers() {
    Set<String> urls = Set.copyOf(members.stream().map(member -> member.spec().peerURL()).toList());
    return observation.store().membership().map(list -> list.members().stream().filter(entry -> entry.peerUrls().stream().noneMatch(urls::contains)).toList())
        .orElse(List.of());
  }

  /** The leader that a majority agrees on. */
  public Optional<Leader> leader() {
    return leader;
  }

  /** The leading member's view. */
  public Optional<MemberView> leading() {
    return leader.flatMap(found -> members.stream().filter(member -> member.id() == found.id()).findFirst());
  }

  /** This member leads. */
  public boolean leads(MemberView member) {
    return leader.isPresent() && leader.get().id() == member.id();
  }

  /** The backups of this cluster, oldest first. */
  public List<KvorumBackup> backups() {
    return backups;
  }

  /** A running backup reads from this member. */
  public boolean backupSource(MemberView member) {
    return backups.stream().anyMatch(backup -> backup.known().phase() == KvorumBackupStatus.Phase.RUNNING && backup.known().source().equals(member.name()));
  }

  /** It answered in this pass, follows the agreed leader, and its pod serves and stays. */
  public boolean healthy(MemberView member) {
    return !member.broken() && member.answer().isPresent() && leader.isPresent() && member.answer().get().leaderId() == leader.get().id()
        && (clusterId() == 0 || member.answer().get().clusterId() == clusterId());
  }

  /** Voters that are healthy. */
  public List<MemberView> healthyVoters() {
    return voters().stream().filter(this::healthy).toList();
  }

  /** A leader is agreed, enough voters are healthy, and the member list could be read. */
  public boolean quorumAvailable() {
    return listed() && leader.isPresent() && healthyVoters().size() >= quorum(voterCount());
  }

  /** Log entries that a member has not applied yet; empty when that is not known. */
  public Optional<Long> lag(MemberView member) {
    Optional<Long> newest = leading().flatMap(MemberView::answer).map(MemberAnswer::raftIndex);
    return newest.flatMap(index -> member.answer().map(answer -> Math.max(0, index - answer.appliedIndex())));
  }

  /** It lags little enough to count on. */
  public boolean caughtUp(MemberView member) {
    return lag(member).map(entries -> entries <= spec().update().maxLagEntries()).orElse(false);
  }

  /** Its pod was made from another template than the one that is wanted now. */
  public boolean outdated(MemberView member) {
    return member.pod().isPresent() && !member.pod().get().templateHash().equals(facts().templateHash());
  }

  /** How long since a moment in the status; zero when that is empty. */
  public Duration since(String moment) {
    return Api.time(moment).map(then -> Duration.between(then, at())).orElse(Duration.ZERO);
  }

  /** No failure holds new procedures back any more. */
  public boolean mayBegin() {
    return Api.time(status().memory().retryAfter()).map(moment -> !at().isBefore(moment)).orElse(true);
  }

  /** The election timeout that the specification sets, or the server's own. */
  public Duration electionTimeout() {
    return spec().electionTimeout() == null || spec().electionTimeout().isEmpty() ? Duration.ofSeconds(1) : Api.duration(spec().electionTimeout());
  }

  /** The token of the cluster: from its object's uid, and after a quorum recovery a new one. */
  public String clusterToken() {
    String recovered = status().memory().clusterToken();
    return recovered.isEmpty() ? cluster().getMetadata().getName() + "-" + cluster().getMetadata().getUid() : recovered;
  }

  /** Voters that are wanted now. One that is the only one and shall be replaced needs a second beside it first. */
  public int wantedVoters() {
    boolean lastIsDeleted = voterCount() == 1 && voters().stream().anyMatch(MemberView::deletedByUser);
    return lastIsDeleted ? Math.max(2, spec().replicas()) : spec().replicas();
  }

  /** {@code name=url} of all that the cluster has accepted, as a starting member needs them. */
  public List<String> initialPeers() {
    return members.stream().filter(member -> member.listed().isPresent()).map(member -> member.name() + "=" + member.spec().peerURL()).toList();
  }
}
