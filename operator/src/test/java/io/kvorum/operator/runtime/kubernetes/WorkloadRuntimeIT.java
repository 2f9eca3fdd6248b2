package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import io.kvorum.operator.workload.AgentSecret;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.ModelUsers;
import io.kvorum.operator.workload.Permission;
import io.kvorum.operator.workload.Permission.Access;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Workloads on a real API server without nodes: the test plays their controllers and the store. */
class WorkloadRuntimeIT extends ApiServerFixture {
  private static final String SECRET = "kvorum-agent-web";

  private final ModelUsers users = new ModelUsers();
  private WorkloadRuntime workloads;

  @BeforeEach
  void runningMember() {
    start();
    role(MEMBER, "Voter");
    pass();
    client.resource(pod()).subresource("status").patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\": {\"podIP\": \"192.0.2.1\"}}");
    assertThat(pod().getStatus().getPodIP()).isEqualTo("192.0.2.1");
    assertThat(pod().getMetadata().getLabels()).containsEntry(Names.ROLE, Names.VOTER);
    workloads = restarted();
  }

  private WorkloadRuntime restarted() {
    KubernetesRuntime.Installation installation =
        new KubernetesRuntime.Installation(
            client, new FreshCaches(client), new Defaults("kvorum/kvorum", "cluster.local"), Clock.systemUTC(), new SecureRandom(), "it");
    return new WorkloadRuntime(installation, new FreshWorkloads(), Set.of(), new ClusterRef(namespace, "kv"), store -> users);
  }

  private static final class FreshWorkloads implements WorkloadCaches {
    @Override
    public List<Pod> agentPods() {
      return client.pods().inAnyNamespace().withLabel(Declaration.INJECT).list().getItems();
    }

    @Override
    public List<Secret> agentSecrets() {
      return client.secrets().inAnyNamespace().withLabel(AgentSecret.CLUSTER).list().getItems();
    }
  }

  /** Two passes: the second proves passwords. */
  private WorkloadRuntime.Outcome look() {
    KvorumCluster cluster = client.resources(KvorumCluster.class).inNamespace(namespace).withName("kv").get();
    workloads.pass(cluster);
    return workloads.pass(cluster);
  }

  private String user() {
    return "agent:" + namespace + ":web";
  }

  private Secret secret() {
    return client.secrets().inNamespace(namespace).withName(SECRET).get();
  }

  private void pod(String in, String name, Map<String, String> annotations) {
    Pod pod =
        Serialization.unmarshal(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: %s, labels: {kvorum.io/inject: kv}}
            spec:
              securityContext: {runAsNonRoot: true, runAsUser: 7, seccompProfile: {type: RuntimeDefault}}
              containers:
              - {name: app, image: none, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
            """
                .formatted(name),
            Pod.class);
    client.resource(new PodBuilder(pod).editMetadata().withNamespace(in).addToAnnotations(annotations).endMetadata().build()).create();
  }

  private void delete(String pod) {
    client.pods().inNamespace(namespace).withName(pod).withGracePeriod(0).delete();
    await(() -> client.pods().inNamespace(namespace).withName(pod).get() == null);
  }

  private List<String> events(String in, EventReason reason) {
    return client.events().v1().events().inNamespace(in).list().getItems().stream()
        .filter(event -> reason.text().equals(event.getReason()))
        .map(event -> event.getRegarding().getName() + ": " + event.getNote())
        .toList();
  }

  @Test
  void aWorkloadHasItsSecretAndItsUserUntilItIsGone() {
    pod(namespace, "web", Map.of(Declaration.PREFIXES, "web/", Declaration.REGISTER, "cart"));
    assertThat(look().problems()).isEmpty();

    assertThat(secret().getData()).containsOnlyKeys("ca.crt", "username", "password");
    assertThat(text(SECRET, "username")).isEqualTo(user());
    assertThat(text(SECRET, "ca.crt")).isEqualTo(client.configMaps().inNamespace(namespace).withName("kv-ca").get().getData().get("ca.crt"));
    assertThat(users.passwords).containsEntry(user(), text(SECRET, "password"));
    assertThat(text(SECRET, "password")).hasSizeGreaterThanOrEqualTo(43);
    assertThat(users.roles.get(user()))
        .containsExactlyInAnyOrder(
            Permission.prefix("web/", Access.READWRITE), Permission.prefix("services/cart/", Access.READWRITE), Permission.prefix("services/", Access.READ));
    String version = secret().getMetadata().getResourceVersion();
    look();
    assertThat(secret().getMetadata().getResourceVersion()).as("nothing is written twice").isEqualTo(version);

    delete("web");
    workloads = restarted();
    look();
    assertThat(secret()).isNull();
    assertThat(users.users).isEmpty();
    assertThat(users.roles).isEmpty();
    assertThat(events(namespace, EventReason.WORKLOAD_ADMITTED)).hasSize(1);
    assertThat(events(namespace, EventReason.WORKLOAD_REVOKED)).hasSize(1);
  }

  @Test
  void aRotatedAuthorityComesToTheSecretAndThePasswordStays() {
    pod(namespace, "web", Map.of());
    look();
    String password = text(SECRET, "password");
    String before = text(SECRET, "ca.crt");

    runtime.rotateCertificates(Phase.TRUST_BOTH);
    look();

    assertThat(text(SECRET, "ca.crt")).startsWith(before).isNotEqualTo(before);
    assertThat(text(SECRET, "password")).isEqualTo(password);
  }

  @Test
  void aCertificateComesAndGoesWithTheDemandForIt() {
    apply("auth: {enabled: true}, tls: {client: {mode: Managed, clientAuth: Required}}");
    pod(namespace, "web", Map.of());
    look();
    assertThat(Pem.certificates(text(SECRET, Secrets.CERTIFICATE)).getFirst().getSubjectX500Principal().getName()).isEqualTo("CN=" + user());
    String before = text(SECRET, Secrets.KEY);
    look();
    assertThat(text(SECRET, Secrets.KEY)).isEqualTo(before);

    apply("auth: {enabled: true}, tls: {client: {mode: Managed}}");
    look();
    assertThat(secret().getData()).containsOnlyKeys("ca.crt", "username", "password");
  }

  @Test
  void withoutUsersAndWithoutTlsTheSecretIsEmptyAndStillThere() {
    apply("tls: {client: {mode: Disabled}}");
    pod(namespace, "web", Map.of());

    look();

    assertThat(secret()).isNotNull();
    assertThat(secret().getData()).isNullOrEmpty();
    assertThat(users.users).isEmpty();
  }

  @Test
  void aDeploymentOfNoReplicasKeepsItsUserAndALabelTakenOffTakesItAway() {
    String deployment =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: %s}
        spec:
          replicas: 0
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web%s}, annotations: {kvorum.io/prefixes: web/}}
            spec: {containers: [{name: app, image: none}]}
        """;
    client.resource(Serialization.unmarshal(deployment.formatted(namespace, ", kvorum.io/inject: kv"), Deployment.class)).create();
    pod(namespace, "web", Map.of(Declaration.PREFIXES, "web/"));
    look();
    delete("web");
    look();
    assertThat(users.users).containsKey(user());
    assertThat(secret()).isNotNull();

    client.apps().deployments().inNamespace(namespace).withName("web").delete();
    await(() -> client.apps().deployments().inNamespace(namespace).withName("web").get() == null);
    client.resource(Serialization.unmarshal(deployment.formatted(namespace, ""), Deployment.class)).create();
    look();
    assertThat(users.users).isEmpty();
    assertThat(secret()).isNull();
  }

  @Test
  void anotherNamespaceGetsWhatIsListedAndIsToldOnceWhatIsNot() {
    String far = namespace + "-far";
    client.resource(new NamespaceBuilder().withNewMetadata().withName(far).endMetadata().build()).create();
    pod(far, "web", Map.of(Declaration.INJECT_NAMESPACE, namespace, Declaration.PREFIXES, "far/"));
    look();
    assertThat(look().problems()).hasSize(1);
    assertThat(client.secrets().inNamespace(far).withName(SECRET).get()).isNull();
    assertThat(users.users).isEmpty();
    assertThat(events(far, EventReason.WORKLOAD_REFUSED)).containsExactly("web: spec.injection of " + namespace + "/kv does not list the namespace " + far);

    String twice = "{name: " + far + ", prefixes: [far/]}";
    assertThatThrownBy(() -> apply("injection: {namespaces: [" + twice + ", " + twice + "]}")).hasMessageContaining("a namespace is listed once");
    apply("auth: {enabled: true}, injection: {namespaces: [{name: " + far + ", prefixes: [far/]}]}");
    assertThat(look().problems()).isEmpty();
    assertThat(users.users).containsKey("agent:" + far + ":web");
    assertThat(Secrets.value(client.secrets().inNamespace(far).withName(SECRET).get(), "username")).isEqualTo("agent:" + far + ":web");
    client.namespaces().withName(far).delete();
  }

  @Test
  void aStoreThatDoesNotAnswerIsAskedAgainAndASecretOfSomebodyElseIsLeftAlone() {
    users.reachable = false;
    pod(namespace, "web", Map.of());
    WorkloadRuntime.Outcome outcome = look();
    assertThat(outcome.again()).isTrue();
    assertThat(outcome.problems()).containsExactly("the store's users could not be read: kv-0: no connection");
    users.reachable = true;
    assertThat(look().again()).isFalse();
    assertThat(users.users).containsKey(user());

    client.resource(new SecretBuilder().withNewMetadata().withName("kvorum-agent-job").withNamespace(namespace).endMetadata().addToStringData("mine", "1").build()).create();
    pod(namespace, "job", Map.of());
    assertThat(look().problems()).containsExactly(namespace + "/job: the Secret kvorum-agent-job is not the operator's");
    assertThat(client.secrets().inNamespace(namespace).withName("kvorum-agent-job").get().getData()).containsOnlyKeys("mine");
    assertThat(users.users).doesNotContainKey("agent:" + namespace + ":job");
  }

  @Test
  void aSecretOutlivesItsClusterOnlyAsLongAsTheWorkload() {
    pod(namespace, "web", Map.of());
    look();
    OrphanedSecrets orphans = new OrphanedSecrets(client);
    orphans.deleteIfOver(secret());
    assertThat(secret()).as("the cluster is there").isNotNull();

    runtime.surroundings();
    client.resources(KvorumCluster.class).inNamespace(namespace).withName("kv").delete();
    await(() -> client.resources(KvorumCluster.class).inNamespace(namespace).withName("kv").get() == null);
    orphans.deleteIfOver(secret());
    assertThat(secret()).as("the workload is there").isNotNull();
    delete("web");
    orphans.deleteIfOver(secret());
    assertThat(secret()).isNull();
  }
}
