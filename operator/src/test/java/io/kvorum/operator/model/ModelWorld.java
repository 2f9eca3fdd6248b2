package io.kvorum.operator.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.SeedRestore;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.DataReport;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Action.StartMode;
import io.kvorum.operator.runtime.ClusterRuntime;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Objects, pods, volumes and nodes of one cluster, without Kubernetes. Whatever must never happen fails the test at the moment it is done. */
final class ModelWorld implements ClusterRuntime {
  /** A pod. */
  static final class Pod {
    String uid;
    String hash;
    String version;
    String node;
    StartMode mode;
    Optional<SeedRestore> restore = Optional.empty();
    int notReadyFor;
    int goneIn = -1;
    boolean serves;
    boolean broken;
    Instant created;
  }

  /** A volume with its claim. */
  static final class Claim {
    boolean lost;
    long requested;
    boolean copied;
    boolean used;
    /** From a backup: once, whatever starts on it later. */
    boolean made;
  }

  final Random random;
  final ModelStore store;
  final KvorumCluster cluster = new KvorumCluster();
  final Map<String, KvorumMember> members = new TreeMap<>();
  final Map<String, Pod> pods = new TreeMap<>();
  final Map<String, Claim> claims = new TreeMap<>();
  final Map<String, NodeState> nodes = new TreeMap<>();
  final Map<String, KvorumOperation> operations = new TreeMap<>();
  final Map<String, KvorumBackup> backups = new TreeMap<>();
  final List<DataReport> data = new ArrayList<>();
  final List<PlannedEvent> events = new ArrayList<>();
  final Map<String, String> configs = new HashMap<>();
  final Set<String> ordinals = new HashSet<>();
  final Set<String> badTemplates = new HashSet<>();
  String template = "t0";
  String config = "c0";
  Instant now = Instant.parse("2026-01-01T00:00:00Z");
  boolean faults;
  boolean deleted;
  /** A member whose process never comes up, empty for none. */
  String neverRuns = "";
  private Set<String> mute = Set.of();
  private int uids;
  /** Voters whose pods we have taken down and that do not run again yet. */
  private final Set<String> down = new TreeSet<>();

  ModelWorld(Random random, KvorumClusterSpec spec) {
    this.random = random;
    this.store = new ModelStore(this, random);
    cluster.setMetadata(new ObjectMetaBuilder().withName("c").withUid("uid-1").withGeneration(1L).withCreationTimestamp(now.toString()).build());
    cluster.setSpec(spec);
    for (int i = 0; i < 6; i++) {
      nodes.put("node" + i, new NodeState("node" + i, "zone" + i % 3, true, true, false, false));
    }
  }

  Instant now() {
    return now;
  }

  boolean running(String name) {
    Pod pod = pods.get(name);
    return pod != null && !name.equals(neverRuns) && pod.goneIn < 0 && pod.notReadyFor == 0 && !pod.broken && nodes.get(pod.node).ready();
  }

  boolean mute(String name) {
    return mute.contains(name);
  }

  String version(String name) {
    return pods.get(name).version;
  }

  String configOf(String name) {
    return configs.getOrDefault(name, config);
  }

  void reloaded(String name) {
    configs.put(name, config);
  }

  boolean refuses() {
    return faults && random.nextInt(10) == 0;
  }

  /** Voters that we have taken down. */
  Set<String> down() {
    down.removeIf(name -> running(name) || !store.list.containsKey(name));
    return down;
  }

  void tick(int seconds) {
    now = now.plusSeconds(seconds);
    pods.values().forEach(pod -> {
      if (pod.notReadyFor > 0) {
        pod.notReadyFor--;
      }
      if (pod.goneIn > 0) {
        pod.goneIn--;
      }
    });
    pods.values().removeIf(pod -> pod.goneIn == 0);
    mute = faults && random.nextInt(6) == 0 && !pods.isEmpty() ? Set.of(pods.keySet().iterator().next()) : Set.of();
    pods.forEach((name, pod) -> {
      if (running(name) && pod.mode == StartMode.NEW && store.clusterId == 0) {
        store.form(name, peerUrl(name));
      }
      if (running(name) && pod.restore.isPresent() && !claims.get(name).made) {
        claims.get(name).made = true;
        assertThat(pods.keySet()).as("nobody of the old cluster runs beside a restore").containsExactly(name);
        SeedRestore restore = pod.restore.get();
        store.restored(name, peerUrl(name), restore.revision().orElse(ModelBackups.revisionOf(this, restore.id())) + restore.revisionBump());
      }
      if (running(name) && pod.mode == StartMode.FORCE_NEW_CLUSTER && store.list.size() > 1) {
        store.force(name);
      }
    });
    store.tick();
    ModelBackups.tick(this);
    down();
  }

  @Override
  public Observation surroundings() {
    List<PodState> podStates = new ArrayList<>();
    pods.forEach((name, pod) -> podStates.add(new PodState(
        name, pod.uid, pod.created, pod.hash, pod.version, running(name) && (store.list.containsKey(name)), !pod.broken, pod.goneIn >= 0, pod.node,
        pod.broken ? "CrashLoopBackOff" : "", 0, pod.serves)));
    List<ClaimState> claimStates = new ArrayList<>();
    claims.forEach((name, claim) ->
        claimStates.add(new ClaimState(name, name, name, true, claim.lost, false, claim.requested, claim.requested, false, claim.copied)));
    List<KvorumOperation> open =
        operations.values().stream().filter(operation -> operation.getStatus() == null || !operation.getStatus().phase().isFinal()).toList();
    return new Observation(
        now, cluster, List.copyOf(members.values()), podStates, claimStates, List.copyOf(nodes.values()), open, data, new Observation.Backups(List.copyOf(backups.values()), List.of()), StoreState.UNKNOWN,
        new Observation.Facts(template, true, config, true, List.of(), Certificates.NONE, true, 0));
  }

  @Override
  public StoreState recognise(StoreState answers) {
    return answers;
  }

  @Override
  public List<Endpoint> endpoints() {
    return members.keySet().stream().map(name -> new Endpoint(name, "http://client/" + name)).toList();
  }

  @Override
  public String peerUrl(String member) {
    return "http://peer/" + member;
  }

  @Override
  public void applyBase(Observation observation) {}

  @Override
  public KvorumCluster writeStatus(KvorumCluster changed) {
    cluster.setStatus(changed.getStatus());
    return cluster;
  }

  @Override
  public void writeMember(KvorumMember member) {
    KvorumMember stored = members.get(member.getMetadata().getName());
    if (stored != null) {
      stored.setStatus(member.getStatus());
    }
  }

  @Override
  public void writeOperation(KvorumOperation operation) {
    operations.get(operation.getMetadata().getName()).setStatus(operation.getStatus());
  }

  @Override
  public void createMember(Action.CreateMember action) {
    if (!members.containsKey(action.member())) {
      assertThat(ordinals.add(action.member())).as("%s is used once", action.member()).isTrue();
      KvorumMember member = new KvorumMember();
      member.setMetadata(new ObjectMetaBuilder().withName(action.member()).build());
      member.setSpec(new KvorumMemberSpec(
          "c", action.member(), action.ordinal(), action.clusterToken(), peerUrl(action.member()), List.of(), action.joinMode(), action.member()));
      members.put(action.member(), member);
    }
    claims.computeIfAbsent(action.member(), name -> {
      Claim claim = new Claim();
      claim.requested = cluster.getSpec().storage().bytes();
      return claim;
    });
  }

  @Override
  public void startPod(Action.StartPod action) {
    if (pods.containsKey(action.member()) || !members.containsKey(action.member()) || !claims.containsKey(action.member())) {
      return;
    }
    Claim claim = claims.get(action.member());
    ModelStore.Entry entry = store.list.get(action.member());
    if (action.mode() == StartMode.NEW) {
      assertThat(store.clusterId != 0 && !store.list.containsKey(action.member())).as("a second cluster").isFalse();
    } else if (entry != null && entry.started) {
      assertThat(claim.used).as("%s starts on the volume that it had", action.member()).isTrue();
    } else if (action.restore().isPresent()) {
      assertThat(claim.used && !members.get(action.member()).getSpec().initialPeers().contains(action.initialPeers().getFirst()))
          .as("%s is restored on a volume of its own", action.member()).isFalse();
    } else if (action.mode() == StartMode.EXISTING) {
      assertThat(entry).as("%s starts after the cluster has accepted it", action.member()).isNotNull();
      assertThat(action.initialPeers()).as("initial peers of %s", action.member()).contains(action.member() + "=" + peerUrl(action.member()));
    }
    claim.used = true;
    KvorumMemberSpec spec = members.get(action.member()).getSpec();
    if (spec.initialPeers().isEmpty()) {
      members.get(action.member()).setSpec(new KvorumMemberSpec(
          "c", action.member(), spec.ordinal(), spec.clusterToken(), spec.peerURL(), action.initialPeers(), spec.joinMode(), action.member()));
    }
    Pod pod = new Pod();
    pod.uid = "pod-" + uids++;
    pod.hash = template;
    pod.version = cluster.getSpec().version();
    pod.mode = action.mode();
    pod.restore = action.restore();
    pod.notReadyFor = 1 + random.nextInt(4);
    pod.broken = badTemplates.contains(template);
    pod.serves = false;
    pod.created = now;
    List<String> usable = nodes.values().stream().filter(node -> node.ready() && !node.cordoned()).map(NodeState::name).toList();
    pod.node = usable.isEmpty() ? "node0" : usable.get(random.nextInt(usable.size()));
    pods.put(action.member(), pod);
    configs.put(action.member(), config);
  }

  @Override
  public void deletePod(String member, String uid) {
    Pod pod = pods.get(member);
    if (pod == null || !pod.uid.equals(uid) || pod.goneIn >= 0) {
      return;
    }
    ModelStore.Entry entry = store.list.get(member);
    boolean everything = cluster.getSpec().hibernated() || cluster.getMetadata().getDeletionTimestamp() != null || recovering();
    if (entry != null && !entry.learner && store.up(member) && !everything && store.voters() > 1 && store.quorum()) {
      assertThat(store.upVoters() - 1).as("quorum without %s, whose pod is deleted", member).isGreaterThanOrEqualTo(store.voters() / 2 + 1);
      assertThat(store.leads(member)).as("%s leads and its pod is deleted", member).isFalse();
      assertThat(backups.values()).as("no backup is read from %s, whose pod is deleted", member)
          .noneMatch(backup -> backup.known().phase() == KvorumBackupStatus.Phase.RUNNING && backup.known().source().equals(member));
      assertThat(down()).as("one at a time, and now %s", member).isEmpty();
      assertThat(store.list.values().stream().filter(other -> other.learner)).as("no restart of %s while a member joins", member).isEmpty();
      down.add(member);
    }
    pod.goneIn = 1 + random.nextInt(4);
  }

  private boolean recovering() {
    return cluster.getStatus().currentAction() != null
        && (cluster.getStatus().currentAction().type() == CurrentAction.Type.RECOVER_QUORUM
            || cluster.getStatus().currentAction().type() == CurrentAction.Type.RESTORE_IN_PLACE);
  }

  @Override
  public void serveClients(String member, boolean serve) {
    if (pods.containsKey(member)) {
      pods.get(member).serves = serve;
    }
  }

  @Override
  public void growClaim(String member, long bytes) {
    claims.get(member).requested = bytes;
  }

  @Override
  public void releaseMember(String member, boolean keepClaim) {
    assertThat(pods).as("%s is released after its pod is gone", member).doesNotContainKey(member);
    assertThat(store.list.containsKey(member) && !recovering() && store.clusterId != 0 && !store.list.get(member).learner)
        .as("%s is released while it votes", member).isFalse();
    claims.remove(member);
    members.remove(member);
  }

  @Override
  public void inspectData(String member) {
    ModelStore.Entry entry = store.list.get(member);
    Claim claim = claims.get(member);
    boolean readable = entry != null && claim != null && !claim.lost;
    data.add(new DataReport(member, now, readable, readable ? store.term : 0, readable ? entry.applied : 0, readable ? entry.applied : 0));
  }

  @Override
  public void copyClaim(String member) {
    claims.get(member).copied = true;
  }

  @Override
  public void createBackup(BackupAction.CreateBackup wanted) {
    backups.computeIfAbsent(wanted.name(), name -> {
      KvorumBackup backup = new KvorumBackup();
      backup.setMetadata(new ObjectMetaBuilder().withName(name).withUid(name).withCreationTimestamp(now.toString()).withLabels(wanted.labels()).build());
      backup.setSpec(wanted.spec());
      return backup;
    });
  }

  @Override
  public void deleteBackup(BackupAction.DeleteBackup backup) {
    backups.remove(backup.name());
  }

  @Override
  public void verifyBackup(String backup, String request) {
    backups.get(backup).getMetadata().setAnnotations(Map.of(Names.VERIFY, request));
  }

  @Override
  public void rotateCertificates(Certificates.Phase phase) {}

  @Override
  public String rootPassword() {
    return "secret";
  }

  @Override
  public void finishDeletion() {
    assertThat(pods).as("everything stops before anything is deleted").isEmpty();
    members.clear();
    claims.clear();
    deleted = true;
  }

  @Override
  public void publish(PlannedEvent event) {
    events.add(event);
  }
}
