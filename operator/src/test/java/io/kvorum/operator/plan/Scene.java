package io.kvorum.operator.plan;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumMemberStatus.Role;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.model.Specs;
import io.kvorum.operator.observe.HashComparison;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.DataReport;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.observe.StoreState.MemberList;
import io.kvorum.operator.status.StatusWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A cluster in which all is well, to be changed by a test's sentence and then planned for. */
final class Scene {
  static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
  static final long CLUSTER = 0xc1;

  /** All that belongs to one member; null for what is absent. */
  static final class One {
    final String name;
    final int ordinal;
    PodState pod;
    ClaimState claim;
    MemberAnswer answer;
    ListedMember listed;
    KvorumMemberStatus status;
    boolean deleted;

    private One(String name, int ordinal) {
      this.name = name;
      this.ordinal = ordinal;
    }
  }

  final Map<String, One> members = new TreeMap<>();
  final Map<String, NodeState> nodes = new TreeMap<>();
  final List<ActiveAlarm> alarms = new ArrayList<>();
  final List<KvorumOperation> operations = new ArrayList<>();
  final List<DataReport> data = new ArrayList<>();
  final KvorumCluster cluster = new KvorumCluster();
  Map<String, Object> status = new HashMap<>();
  String template = "t1";
  String config = "c1";
  boolean templateByUser = true;
  boolean lease = true;
  List<String> workloadProblems = List.of();
  private boolean namespaceEnds;
  final List<KvorumBackup> backups = new ArrayList<>();
  final List<KvorumBackupSchedule> schedules = new ArrayList<>();
  List<String> missingSecrets = List.of();
  Certificates certificates = Certificates.NONE;
  Optional<Boolean> auth = Optional.of(false);
  boolean listKnown = true;
  private CurrentAction current;
  Optional<HashComparison> comparison = Optional.empty();
  private Memory memory = compared(Memory.EMPTY, NOW.toString(), "");

  /** So many healthy voters; the first leads. */
  static Scene of(int voters) {
    Scene scene = new Scene();
    scene.cluster.setMetadata(
        new ObjectMetaBuilder().withName("c").withUid("u").withGeneration(1L).withCreationTimestamp("2026-01-01T00:00:00Z").build());
    scene.cluster.setSpec(Specs.with(Specs.base(), "replicas", voters));
    for (int i = 0; i < voters; i++) {
      scene.add(i, false);
    }
    return scene;
  }

  One add(int ordinal, boolean learner) {
    One one = new One("c-" + ordinal, ordinal);
    long id = 0x100 + ordinal;
    String node = "n" + ordinal;
    nodes.put(node, new NodeState(node, "z" + ordinal, true, true, false, false));
    one.pod = new PodState(one.name, "uid-" + ordinal, NOW.minusSeconds(3600), template, "0.1.0", true, true, false, node, "", 0, !learner);
    one.claim = new ClaimState(one.name, one.name, "cu-" + ordinal, true, false, false, 1L << 30, 1L << 30, false, false);
    one.answer = new MemberAnswer(
        one.name, NOW, CLUSTER, id, 0x100, 7, 7, 5000, 5000, 4000, 1000, 900, learner, true, "0.1.0", "3.6.0", config, Set.of(), List.of());
    one.listed = new ListedMember(id, one.name, List.of(url(one.name)), List.of(), learner);
    one.status = status(Api.id(id), learner ? Role.LEARNER : Role.VOTER, learner ? Phase.CATCHING_UP : Phase.VOTING, "", 0);
    members.put(one.name, one);
    return one;
  }

  static String url(String name) {
    return "http://" + name + ":2380";
  }

  static KvorumMemberStatus status(String id, Role role, Phase phase, String unhealthySince, int caughtUp) {
    return new KvorumMemberStatus(id, role, phase, "", "", "", "", "", "0.1.0", 0, Api.time(NOW), null, unhealthySince, caughtUp, List.of(), List.of());
  }

  One member(int ordinal) {
    return members.get("c-" + ordinal);
  }

  Scene spec(String field, Object value) {
    cluster.setSpec(Specs.with(cluster.getSpec(), field, value));
    return this;
  }

  Scene pod(int ordinal, UnaryOperator<PodState> change) {
    member(ordinal).pod = change.apply(member(ordinal).pod);
    return this;
  }

  Scene answer(int ordinal, UnaryOperator<MemberAnswer> change) {
    member(ordinal).answer = change.apply(member(ordinal).answer);
    return this;
  }

  Scene current(CurrentAction action) {
    current = action;
    return this;
  }

  Scene memory(Memory remembered) {
    memory = remembered;
    return this;
  }

  /** The same with another comparison behind it. */
  static Memory compared(Memory from, String last, String mismatch) {
    return new Memory(
        from.lastDisruption(), from.quorumLostSince(), from.leaderMoveSince(), from.lastDefragmentation(), from.lastCompaction(), from.clusterToken(),
        from.blocked(), from.recovered(), from.retryAfter(), from.failures(), from.hibernated(), from.paused(), last, mismatch, from.rootSecret(),
        from.finalBackup(), from.finalBackupVerified(), from.revisionFloor());
  }

  /** The same with a secret that authentication was switched on with. */
  static Memory authenticated(String secret) {
    return new Memory(null, null, null, null, null, null, null, null, null, null, null, null, NOW.toString(), null, secret, null, null, null);
  }

  /** It has no pod, or one that is not ready, and does not answer. */
  Scene dead(int ordinal, String unhealthySince) {
    One one = member(ordinal);
    one.answer = null;
    one.pod = new PodState(one.name, one.pod.uid(), one.pod.createdAt(), one.pod.templateHash(), one.pod.version(), false, true, false, one.pod.node(), "", 1, true);
    one.status = status(one.status.memberID(), one.status.role(), one.status.phase(), unhealthySince, 0);
    return this;
  }

  Scene operation(String name, Map<String, Object> what) {
    KvorumOperation operation = new KvorumOperation();
    operation.setMetadata(new ObjectMetaBuilder().withName(name).build());
    operation.setSpec(Specs.of(what, KvorumOperationSpec.class));
    operations.add(operation);
    return this;
  }

  /** A backup of this cluster that asks for a verified full one. */
  KvorumBackup backup(String name, Map<String, Object> status) {
    KvorumBackup backup = new KvorumBackup();
    backup.setMetadata(new ObjectMetaBuilder().withName(name).withUid(name).withCreationTimestamp("2026-05-01T00:00:00Z").build());
    backup.setSpec(Specs.of(Map.of("clusterRef", "c", "verify", true), KvorumBackupSpec.class));
    backup.setStatus(Specs.of(status, KvorumBackupStatus.class));
    backups.add(backup);
    return backup;
  }

  Scene namespaceEnds() {
    namespaceEnds = true;
    return this;
  }

  Observation observe() {
    cluster.setStatus(new KvorumClusterStatus(
        1L, null, null, null, null, clusterId(), null, new KvorumClusterStatus.Version("0.1.0", "0.1.0"), null, null, current, 10, null, null, null, null, null,
        null, memory));
    List<KvorumMember> objects = members.values().stream().map(Scene::object).toList();
    List<ListedMember> list = members.values().stream().filter(one -> one.listed != null).map(one -> one.listed).toList();
    return new Observation(
        NOW, cluster, objects, present(one -> one.pod), present(one -> one.claim), List.copyOf(nodes.values()), operations, data,
        new Observation.Backups(backups, schedules),
        new StoreState(
            present(one -> one.answer), listKnown && !list.isEmpty() ? Optional.of(new MemberList(CLUSTER, list)) : Optional.empty(), alarms, auth,
            comparison),
        new Observation.Facts(template, templateByUser, config, true, missingSecrets, certificates, lease, 0, namespaceEnds, workloadProblems));
  }

  private String clusterId() {
    return status.getOrDefault("clusterID", Api.id(CLUSTER)).toString();
  }

  private <T> List<T> present(Function<One, T> part) {
    return members.values().stream().map(part).filter(found -> found != null).toList();
  }

  private static KvorumMember object(One one) {
    KvorumMember object = new KvorumMember();
    object.setMetadata(new ObjectMetaBuilder().withName(one.name).withDeletionTimestamp(one.deleted ? "2026-06-01T11:00:00Z" : null).build());
    object.setSpec(new KvorumMemberSpec("c", one.name, one.ordinal, "token", url(one.name), List.of(one.name + "=" + url(one.name)), JoinMode.JOIN, one.name));
    object.setStatus(one.status);
    return object;
  }

  Situation situation() {
    return new Situation(observe());
  }

  Plan plan() {
    return new Planner().plan(observe());
  }

  /** The status that this plan leads to. */
  KvorumClusterStatus written() {
    Observation seen = observe();
    return StatusWriter.status(seen, new Planner().plan(seen));
  }
}
