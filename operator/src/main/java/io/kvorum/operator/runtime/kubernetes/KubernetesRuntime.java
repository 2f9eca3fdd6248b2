package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.StorageSpec;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.MemberConfig;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.PodConfig;
import io.kvorum.operator.desired.Storage;
import io.kvorum.operator.desired.TemplateHash;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.runtime.CertificateKeeper;
import io.kvorum.operator.runtime.ClusterRuntime;
import io.kvorum.operator.runtime.Owners;
import io.kvorum.operator.store.StoreAccess;
import io.kvorum.operator.store.StoreAdmin;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The members of one cluster as pods. The cluster and its members are read fresh in each pass, the rest from informers. Not safe for several threads. */
public final class KubernetesRuntime implements ClusterRuntime {
  private static final int PASSWORD_BYTES = 24;

  private final Installation installation;
  private final Target target;
  private final KubernetesClient client;
  private final Writes writes;
  private final BaseObjects base;
  private final CertificateKeeper certificates;
  private final Inspections inspections;
  private final ClaimCopies copies;
  private final ClaimGrowth growth;
  private final EventPublisher events;
  private volatile StoreAccess access = StoreAccess.PLAIN;
  private KvorumCluster cluster;
  private List<KvorumMember> members = List.of();

  /** Which cluster. */
  public record Target(String namespace, String name) {}

  /**
   * What all clusters share.
   *
   * @param instance name of this operator's pod
   */
  public record Installation(KubernetesClient client, Caches caches, Defaults defaults, Clock clock, SecureRandom random, String instance) {}

  /** There is no such cluster any more. */
  public static final class GoneException extends RuntimeException {
    GoneException(Target target) {
      super(target.namespace() + "/" + target.name() + " is gone");
    }
  }

  public KubernetesRuntime(Installation installation, Target target) {
    this.installation = installation;
    this.target = target;
    this.client = installation.client();
    Applier applier = new Applier(client, installation.clock());
    this.writes = new Writes(client);
    this.base = new BaseObjects(client, applier, writes, installation.clock());
    this.certificates = new CertificateKeeper(new KubernetesSecrets(client, applier), new Issuer(installation.random()), installation.defaults(), installation.clock());
    this.inspections = new Inspections(client, writes, installation.defaults(), installation.clock());
    this.copies = new ClaimCopies(client, writes);
    this.growth = new ClaimGrowth(writes, installation.clock());
    this.events = new EventPublisher(client, installation.clock(), installation.instance());
  }

  @Override
  public Observation surroundings() {
    cluster = client.resources(KvorumCluster.class).inNamespace(target.namespace()).withName(target.name()).get();
    if (cluster == null) {
      throw new GoneException(target);
    }
    members =
        client.resources(KvorumMember.class).inNamespace(target.namespace()).withLabel(Names.CLUSTER, target.name()).list().getItems().stream()
            .sorted(Comparator.comparing(member -> member.getSpec().ordinal()))
            .toList();
    certificates.read(cluster);
    access = certificates.access(cluster);
    List<Pod> pods = pods();
    List<PodState> podStates = pods.stream().map(Surroundings::pod).toList();
    List<PersistentVolumeClaim> claims = installation.caches().claims(target.namespace(), target.name());
    List<NodeState> nodes = Surroundings.nodes(installation.caches().nodes(), podStates, cluster.getSpec().podTemplate().tolerations());
    return new Observation(
        installation.clock().instant(), cluster, members, podStates, claimStates(claims), nodes, operations(), reports(), backups(), StoreState.UNKNOWN, facts(pods));
  }

  private List<Pod> pods() {
    return installation.caches().pods(target.namespace(), target.name());
  }

  private List<ClaimState> claimStates(List<PersistentVolumeClaim> claims) {
    return claims.stream().filter(claim -> !ClaimCopies.isCopy(claim)).map(claim -> Surroundings.claim(claim, claims, growth.problem(claim))).toList();
  }

  private List<KvorumOperation> operations() {
    return installation.caches().operations(target.namespace(), target.name()).stream()
        .filter(operation -> operation.getStatus() == null || !operation.getStatus().phase().isFinal())
        .sorted(Comparator.comparing(operation -> operation.getMetadata().getCreationTimestamp()))
        .toList();
  }

  private Observation.Backups backups() {
    return new Observation.Backups(installation.caches().backups(target.namespace()), installation.caches().schedules(target.namespace()));
  }

  /** Directories are read only while the cluster has no quorum. */
  private List<Observation.DataReport> reports() {
    KvorumClusterStatus status = cluster.getStatus();
    if (status == null || status.memory().quorumLostSince().isEmpty()) {
      inspections.end(cluster);
      return List.of();
    }
    return inspections.reports(cluster);
  }

  private Observation.Facts facts(List<Pod> pods) {
    int rollouts =
        (int)
            installation.caches().clusters().stream()
                .filter(other -> !Objects.equals(other.getMetadata().getUid(), cluster.getMetadata().getUid()))
                .filter(other -> other.getStatus() != null && other.getStatus().phase() == KvorumClusterStatus.Phase.UPDATING)
                .count();
    return new Observation.Facts(
        TemplateHash.of(cluster, installation.defaults()), true, MemberConfig.sharedHash(cluster.getSpec()), base.configPublished(cluster, members, pods),
        certificates.missing(cluster), certificates.facts(cluster), true, rollouts,
        cluster.getMetadata().getDeletionTimestamp() != null && BackupObjects.namespaceEnds(client, target.namespace()),
        installation.caches().workloadProblems(target.namespace(), target.name()));
  }

  @Override
  public StoreState recognise(StoreState answers) {
    Map<String, Pod> pods = pods().stream().collect(Collectors.toMap(pod -> pod.getMetadata().getName(), pod -> pod, (one, other) -> one));
    String shared = MemberConfig.sharedHash(cluster.getSpec());
    return answers.withAnswers(
        answers.answers().stream()
            .map(answer -> certificates.recognise(cluster, answer))
            .map(answer -> hasItsConfig(answer, pods.get(answer.member())) ? answer.withConfigHash(shared) : answer)
            .toList());
  }

  private boolean hasItsConfig(StoreState.MemberAnswer answer, Pod pod) {
    return pod != null
        && find(answer.member())
            .map(member -> PodConfig.options(cluster, member.getSpec(), BaseObjects.beginning(pod)).hash().equals(answer.configHash()))
            .orElse(false);
  }

  /** How the operator shows itself to the store, as of the last pass. Any thread. */
  public StoreAccess access() {
    return access;
  }

  /** Members whose pod has an address: a name that cannot be resolved would only hold the pass up. */
  @Override
  public List<StoreAdmin.Endpoint> endpoints() {
    Set<String> addressed =
        pods().stream()
            .filter(pod -> pod.getStatus() != null && pod.getStatus().getPodIP() != null)
            .map(pod -> pod.getMetadata().getName())
            .collect(Collectors.toSet());
    return members.stream()
        .map(member -> member.getSpec().memberName())
        .filter(addressed::contains)
        .map(name -> new StoreAdmin.Endpoint(name, PodConfig.clientUrl(cluster, name)))
        .toList();
  }

  @Override
  public String peerUrl(String member) {
    return PodConfig.peerUrl(cluster, member);
  }

  @Override
  public void applyBase(Observation observation) {
    if (cluster.getMetadata().getDeletionTimestamp() != null) {
      return;
    }
    if (cluster.getSpec().wantsAuth()) {
      rootPassword();
    }
    certificates.apply(cluster, members);
    base.apply(cluster, members, pods(), member -> certificates.stamp(cluster, member));
    access = certificates.access(cluster);
  }

  @Override
  public KvorumCluster writeStatus(KvorumCluster changed) {
    if (!changed.getStatus().equals(cluster.getStatus())) {
      cluster = client.resource(changed).updateStatus();
    }
    return cluster;
  }

  @Override
  public void writeMember(KvorumMember changed) {
    KvorumMemberStatus before = find(changed.getMetadata().getName()).map(KvorumMember::getStatus).orElse(null);
    if (!changed.getStatus().equals(before)) {
      client.resource(changed).updateStatus();
    }
  }

  @Override
  public void writeOperation(KvorumOperation changed) {
    client.resource(changed).updateStatus();
  }

  @Override
  public void createMember(Action.CreateMember action) {
    KvorumMember member = new KvorumMember();
    member.setMetadata(
        new ObjectMetaBuilder()
            .withName(action.member())
            .withNamespace(target.namespace())
            .withLabels(Names.labels(target.name(), action.member()))
            .withFinalizers(Api.FINALIZER)
            .withOwnerReferences(Owners.controlledBy(cluster))
            .build());
    String claim = Names.claim(action.member(), cluster.getMetadata().getUid());
    member.setSpec(
        new KvorumMemberSpec(
            target.name(), action.member(), action.ordinal(), action.clusterToken(), peerUrl(action.member()), List.of(), action.joinMode(), claim));
    writes.create(member);
    writes.create(Storage.claim(cluster, action.member(), claim, cluster.getSpec().storage().size()));
  }

  @Override
  public void startPod(Action.StartPod action) {
    KvorumMember member = find(action.member()).orElseThrow(() -> new IllegalStateException("no member object " + action.member()));
    if (inspections.holds(cluster, action.member())) {
      inspections.end(cluster);
    }
    if (member.getSpec().initialPeers().isEmpty()) {
      writes.merge(member, Map.of("spec", Map.of("initialPeers", action.initialPeers())));
    }
    MemberConfig.Beginning beginning = new MemberConfig.Beginning(action.mode(), action.clusterToken(), action.initialPeers());
    client.resource(base.configMap(cluster, member, beginning)).fieldManager(Names.FIELD_MANAGER).forceConflicts().serverSideApply();
    boolean bound =
        installation.caches().claims(target.namespace(), target.name()).stream()
            .anyMatch(
                claim ->
                    claim.getMetadata().getName().equals(member.getSpec().volumeClaimName())
                        && claim.getStatus() != null
                        && "Bound".equals(claim.getStatus().getPhase()));
    MemberPod.Start start = new MemberPod.Start(beginning, true, !bound, action.restore());
    writes.create(MemberPod.pod(cluster, member, Owners.controlledBy(member), installation.defaults(), start));
  }

  @Override
  public void deletePod(String member, String uid) {
    writes.deletePod(target.namespace(), member, uid);
  }

  @Override
  public void serveClients(String member, boolean serve) {
    pods().stream()
        .filter(pod -> pod.getMetadata().getName().equals(member))
        .forEach(pod -> writes.label(pod, Map.of(Names.SERVING, Boolean.toString(serve))));
  }

  @Override
  public void growClaim(String member, long bytes) {
    claim(member).ifPresent(claim -> growth.ask(claim, cluster.getSpec().storage().size()));
  }

  private Optional<PersistentVolumeClaim> claim(String member) {
    return find(member)
        .map(one -> client.persistentVolumeClaims().inNamespace(target.namespace()).withName(one.getSpec().volumeClaimName()).get());
  }

  private Optional<KvorumMember> find(String name) {
    return members.stream().filter(member -> member.getMetadata().getName().equals(name)).findFirst();
  }

  @Override
  public void releaseMember(String name, boolean keepClaim) {
    KvorumMember member = find(name).orElse(null);
    if (member == null) {
      return;
    }
    claim(name).ifPresent(claim -> {
      if (keepClaim) {
        String id = member.getStatus() == null ? "" : member.getStatus().memberID();
        writes.label(claim, Map.of(Names.FORMER_MEMBER, id.isEmpty() ? "never-joined" : id));
      } else {
        client.resource(claim).delete();
      }
    });
    client.resource(member).delete();
    writes.release(fresh(member), Api.FINALIZER);
  }

  /** As it is now; deleting it has changed its version. */
  private <T extends HasMetadata> T fresh(T object) {
    T now = client.resource(object).get();
    return now == null ? object : now;
  }

  @Override
  public void inspectData(String member) {
    find(member).ifPresent(one -> inspections.begin(cluster, one));
  }

  @Override
  public void copyClaim(String member) {
    KvorumMember one = find(member).orElseThrow();
    String id = one.getStatus() == null ? "" : one.getStatus().memberID();
    claim(member).ifPresent(claim -> copies.copy(cluster, member, claim, id));
  }

  @Override
  public void createBackup(BackupAction.CreateBackup backup) {
    BackupObjects.create(writes, target.namespace(), backup);
  }

  @Override
  public void deleteBackup(BackupAction.DeleteBackup backup) {
    BackupObjects.delete(client, target.namespace(), backup);
  }

  @Override
  public void verifyBackup(String backup, String request) {
    BackupObjects.verify(client, target.namespace(), backup, request);
  }

  @Override
  public void rotateCertificates(Certificates.Phase phase) {
    certificates.rotate(cluster, phase);
  }

  @Override
  public String rootPassword() {
    return certificates
        .rootPassword(cluster)
        .orElseGet(
            () -> {
              byte[] random = new byte[PASSWORD_BYTES];
              installation.random().nextBytes(random);
              certificates.makeRootPassword(cluster, Base64.getUrlEncoder().withoutPadding().encodeToString(random));
              return certificates.rootPassword(cluster).orElse("");
            });
  }

  @Override
  public void finishDeletion() {
    boolean delete = cluster.getSpec().storage().retention().whenDeleted() == StorageSpec.Policy.DELETE;
    for (KvorumMember member : members) {
      releaseMember(member.getMetadata().getName(), !delete);
    }
    writes.release(fresh(cluster), Api.FINALIZER);
  }

  @Override
  public void publish(PlannedEvent event) {
    events.publish(event, find(event.member()).map(HasMetadata.class::cast).orElse(cluster));
  }
}
