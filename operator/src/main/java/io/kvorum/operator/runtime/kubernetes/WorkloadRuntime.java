package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.PodConfig;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.runtime.CertificateKeeper;
import io.kvorum.operator.runtime.WorkloadUsers;
import io.kvorum.operator.store.GrpcStoreAdmin;
import io.kvorum.operator.store.GrpcUserAdmin;
import io.kvorum.operator.store.StoreAccess;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.store.UserAdmin;
import io.kvorum.operator.workload.AgentSecret;
import io.kvorum.operator.workload.AgentSecret.Content;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Users;
import io.kvorum.operator.workload.Workload;
import io.kvorum.operator.workload.WorkloadAction;
import io.kvorum.operator.workload.WorkloadObservation;
import io.kvorum.operator.workload.WorkloadObservation.PodSeen;
import io.kvorum.operator.workload.WorkloadObservation.SecretSeen;
import io.kvorum.operator.workload.WorkloadPlan;
import io.kvorum.operator.workload.WorkloadPlanner;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The workloads that ask one cluster for agents: their Secrets on the API server, their users in the store. Not safe for several threads. */
public final class WorkloadRuntime implements AutoCloseable {
  private static final int PASSWORD_BYTES = 32;
  private static final Set<String> ENDED = Set.of("Succeeded", "Failed");

  /** Refused pods whose Event was sent; more are forgotten, and told again. */
  private static final int TOLD_MAX = 1024;

  private final KubernetesRuntime.Installation installation;
  private final WorkloadCaches caches;
  private final Set<String> watched;
  private final ClusterRef ref;
  private final KubernetesClient client;
  private final CertificateKeeper certificates;
  private final WorkloadOwners owners;
  private final EventPublisher events;
  private final WorkloadPlanner planner = new WorkloadPlanner();
  private final GrpcStoreAdmin store;
  private final WorkloadUsers users;
  private final Set<String> told = Collections.newSetFromMap(new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
      return size() > TOLD_MAX;
    }
  });
  private volatile StoreAccess access = StoreAccess.PLAIN;
  private KvorumCluster cluster;
  private List<Endpoint> endpoints = List.of();

  /**
   * What a pass came to.
   *
   * @param problems for the cluster's status
   * @param again something failed, and is to be tried again
   * @param more there is more to do at once
   */
  public record Outcome(List<String> problems, boolean again, boolean more) {}

  /** @param watched namespaces that are looked after, empty for all */
  public WorkloadRuntime(KubernetesRuntime.Installation installation, WorkloadCaches caches, Set<String> watched, ClusterRef ref) {
    this(installation, caches, watched, ref, GrpcUserAdmin::new);
  }

  /** With another way to the store's users. */
  WorkloadRuntime(
      KubernetesRuntime.Installation installation, WorkloadCaches caches, Set<String> watched, ClusterRef ref, Function<GrpcStoreAdmin, UserAdmin> admin) {
    this.installation = installation;
    this.caches = caches;
    this.watched = Set.copyOf(watched);
    this.ref = ref;
    this.client = installation.client();
    this.certificates =
        new CertificateKeeper(
            new KubernetesSecrets(client, new Applier(client, installation.clock())), new Issuer(installation.random()), installation.defaults(),
            installation.clock());
    this.owners = new WorkloadOwners(client);
    this.events = new EventPublisher(client, installation.clock(), installation.instance());
    this.store = new GrpcStoreAdmin(() -> access, installation.clock());
    this.users = new WorkloadUsers(admin.apply(store));
  }

  /** Observes, decides and acts once. */
  public Outcome pass(KvorumCluster seen) {
    cluster = seen;
    certificates.read(cluster);
    access = certificates.access(cluster);
    TlsSpec.Plane plane = cluster.getSpec().tls().client();
    boolean awaited = plane.on() && trusted().isEmpty();
    if (cluster.getSpec().paused() || awaited) {
      // Without authorities a Secret would make agents believe that the cluster speaks plain text.
      return new Outcome(List.of(), awaited, false);
    }
    endpoints = endpoints();
    store.keepOnly(endpoints);
    List<String> failures = new ArrayList<>();
    WorkloadObservation observed = observe(users(failures));
    if (observed.pods().stream().noneMatch(this::asksUs) && observed.secrets().values().stream().noneMatch(secret -> secret.cluster().equals(Optional.of(ref)))) {
      // Nobody waits for a store that is still being made, say.
      failures.clear();
    }
    Map<Workload, WorkloadObservation.Owner> found = new HashMap<>();
    planner.undecided(observed).forEach(workload -> found.put(workload, owners.of(workload)));
    WorkloadPlan plan = planner.plan(observed.withOwners(found));
    act(plan.actions(), failures);
    tell(plan.refusals());
    List<String> problems = new ArrayList<>(failures);
    problems.addAll(plan.problems());
    if (needsCertificates() && !certificates.issuesForClients(cluster) && observed.pods().stream().anyMatch(this::asksUs)) {
      problems.addFirst("clients must show a certificate, and with tls.client.mode " + plane.mode() + " the operator issues none to workloads");
    }
    return new Outcome(problems.subList(0, Math.min(WorkloadPlan.PROBLEMS_MAX, problems.size())), !failures.isEmpty(), plan.more());
  }

  private boolean asksUs(PodSeen pod) {
    return pod.declaration().cluster().equals(ref);
  }

  private Optional<Users> users(List<String> failures) {
    if (endpoints.isEmpty() || cluster.getSpec().hibernated()) {
      return Optional.empty();
    }
    try {
      return Optional.of(users.read(endpoints));
    } catch (StoreException e) {
      if (cluster.getSpec().wantsAuth()) {
        failures.add("the store's users could not be read: " + e.getMessage());
      }
      return Optional.empty();
    }
  }

  /** Voters whose pod has an address. */
  private List<Endpoint> endpoints() {
    return installation.caches().pods(ref.namespace(), ref.name()).stream()
        .filter(pod -> pod.getMetadata().getLabels().containsKey(Names.MEMBER) && !Names.LEARNER.equals(pod.getMetadata().getLabels().get(Names.ROLE)))
        .filter(pod -> pod.getStatus() != null && pod.getStatus().getPodIP() != null && pod.getMetadata().getDeletionTimestamp() == null)
        .map(pod -> pod.getMetadata().getName())
        .sorted()
        .map(name -> new Endpoint(name, PodConfig.clientUrl(cluster, name)))
        .toList();
  }

  private WorkloadObservation observe(Optional<Users> read) {
    List<PodSeen> pods = new ArrayList<>();
    for (Pod pod : caches.agentPods()) {
      Declaration.of(pod.getMetadata(), pod.getMetadata().getNamespace()).ifPresent(declaration -> pods.add(seen(pod, declaration)));
    }
    Map<Workload, SecretSeen> secrets = new HashMap<>();
    Map<Workload, String> passwords = new HashMap<>();
    for (Secret secret : caches.agentSecrets()) {
      AgentSecret.workload(secret)
          .ifPresent(
              workload -> {
                secrets.put(workload, seen(workload, secret));
                passwords.put(workload, AgentSecret.content(secret).password());
              });
    }
    return new WorkloadObservation(
        ref, cluster.getSpec().injection(), cluster.getSpec().wantsAuth(), pods, secrets, read, users.proven(passwords), watched, Map.of());
  }

  private static PodSeen seen(Pod pod, Declaration declaration) {
    boolean ended = pod.getStatus() != null && ENDED.contains(String.valueOf(pod.getStatus().getPhase()));
    return new PodSeen(
        Workload.of(pod), pod.getMetadata().getName(), pod.getMetadata().getUid(), Instant.parse(pod.getMetadata().getCreationTimestamp()), ended, declaration);
  }

  private SecretSeen seen(Workload workload, Secret secret) {
    Content now = AgentSecret.content(secret);
    boolean current = now.trusted().equals(trusted()) && Objects.equals(now.certificate(), certificate(workload, now));
    return new SecretSeen(AgentSecret.cluster(secret), !now.password().isEmpty(), current);
  }

  private String trusted() {
    return access.tls().map(StoreAccess.Tls::trusted).orElse("");
  }

  private boolean needsCertificates() {
    return cluster.getSpec().tls().client().on() && cluster.getSpec().tls().client().clientAuth() == TlsSpec.ClientAuth.REQUIRED;
  }

  private Optional<KeyPairPem> certificate(Workload workload, Content now) {
    if (!needsCertificates() || !certificates.issuesForClients(cluster)) {
      return Optional.empty();
    }
    return Optional.of(certificates.clientCertificate(cluster, now.certificate().orElse(new KeyPairPem("", "")), AgentSecret.leaf(workload)));
  }

  private void act(List<WorkloadAction> actions, List<String> failures) {
    Set<Workload> failed = new HashSet<>();
    for (WorkloadAction action : actions) {
      if (failed.contains(action.workload())) {
        continue;
      }
      try {
        act(action);
        publish(action);
      } catch (StoreException e) {
        failed.add(action.workload());
        failures.add(action.workload() + ": " + e.getMessage());
        if (e.reason() == StoreException.Reason.UNAVAILABLE) {
          return;
        }
      } catch (KubernetesClientException e) {
        failed.add(action.workload());
        // Somebody else wrote first, or the cache is a moment old; another pass decides anew.
        failures.add(action.workload() + ": its Secret was not written: " + e.getCode());
      }
    }
  }

  private void act(WorkloadAction action) throws StoreException {
    switch (action) {
      case WorkloadAction.WriteSecret one -> write(one);
      case WorkloadAction.DeleteSecret one -> delete(one.workload());
      default -> users.execute(action, endpoints, password(action));
    }
  }

  /** Read anew: a password is made the user's only once it is stored. */
  private Optional<String> password(WorkloadAction action) {
    if (!(action instanceof WorkloadAction.AddUser) && !(action instanceof WorkloadAction.Prove)) {
      return Optional.empty();
    }
    return stored(action.workload())
        .filter(secret -> AgentSecret.cluster(secret).equals(Optional.of(ref)))
        .map(secret -> AgentSecret.content(secret).password())
        .filter(text -> !text.isEmpty());
  }

  private Optional<Secret> stored(Workload workload) {
    return Optional.ofNullable(client.secrets().inNamespace(workload.namespace()).withName(workload.secret()).get());
  }

  private void write(WorkloadAction.WriteSecret action) throws StoreException {
    Workload workload = action.workload();
    Optional<Secret> stored = stored(workload);
    boolean ours = stored.flatMap(AgentSecret::cluster).equals(Optional.of(ref));
    if (stored.isPresent() && AgentSecret.cluster(stored.get()).isEmpty()) {
      throw new StoreException(StoreException.Reason.REFUSED, "the Secret " + workload.secret() + " is not the operator's");
    }
    Content now = ours ? AgentSecret.content(stored.get()) : new Content("", "", Optional.empty());
    String password = now.password().isEmpty() && action.credentials() ? newPassword() : now.password();
    Secret wanted = AgentSecret.of(workload, ref, new Content(trusted(), password, certificate(workload, now)));
    if (stored.isEmpty()) {
      client.resource(wanted).create();
      return;
    }
    Map<String, Object> data = new HashMap<>(wanted.getData());
    Set<String> old = stored.get().getData() == null ? Set.of() : stored.get().getData().keySet();
    old.stream().filter(key -> !wanted.getData().containsKey(key)).forEach(key -> data.put(key, null));
    Map<String, Object> about = Map.of("labels", wanted.getMetadata().getLabels(), "resourceVersion", stored.get().getMetadata().getResourceVersion());
    client.resource(stored.get()).patch(PatchContext.of(PatchType.JSON_MERGE), Serialization.asJson(Map.of("metadata", about, "data", data)));
  }

  private String newPassword() {
    byte[] random = new byte[PASSWORD_BYTES];
    SecureRandom source = installation.random();
    source.nextBytes(random);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }

  private void delete(Workload workload) {
    stored(workload).filter(secret -> AgentSecret.cluster(secret).equals(Optional.of(ref))).ifPresent(secret -> Writes.deleteThis(client, secret));
  }

  private void publish(WorkloadAction action) {
    if (action instanceof WorkloadAction.GiveRole) {
      events.publish(new PlannedEvent(EventReason.WORKLOAD_ADMITTED, "", action.workload() + " has a user of its own"), cluster);
    } else if (action instanceof WorkloadAction.RemoveUser) {
      events.publish(new PlannedEvent(EventReason.WORKLOAD_REVOKED, "", "the user of " + action.workload() + " is gone"), cluster);
    }
  }

  private void tell(List<WorkloadPlan.Refusal> refusals) {
    Map<String, Pod> pods = caches.agentPods().stream().collect(Collectors.toMap(pod -> pod.getMetadata().getUid(), pod -> pod, (one, other) -> one));
    for (WorkloadPlan.Refusal refusal : refusals) {
      Pod pod = pods.get(refusal.pod().uid());
      if (pod != null && told.add(refusal.pod().uid() + refusal.why())) {
        events.publish(new PlannedEvent(EventReason.WORKLOAD_REFUSED, "", refusal.why()), pod);
      }
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
