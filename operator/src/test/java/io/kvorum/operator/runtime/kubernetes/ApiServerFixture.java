package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Action.StartMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** A cluster "kv" in a namespace of its own, which admits restricted pods only, on the API server of KUBECONFIG. */
abstract class ApiServerFixture {
  static final String MEMBER = "kv-0";
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  static KubernetesClient client;

  String namespace;
  KubernetesRuntime runtime;

  @BeforeAll
  static void definitions() throws Exception {
    client = new KubernetesClientBuilder().build();
    try (Stream<Path> files = Files.list(Path.of("../crds"))) {
      for (Path file : files.toList()) {
        client.load(Files.newInputStream(file)).forceConflicts().serverSideApply();
      }
    }
    await(() -> client.supports("kvorum.io/v1alpha1", "KvorumOperation"));
  }

  @AfterAll
  static void close() {
    client.close();
  }

  @BeforeEach
  void cluster() {
    namespace = "it-" + UUID.randomUUID().toString().substring(0, 8);
    client
        .resource(
            new NamespaceBuilder()
                .withNewMetadata()
                .withName(namespace)
                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                .endMetadata()
                .build())
        .create();
    apply("auth: {enabled: true}");
    runtime = runtime();
  }

  /** @param spec in YAML's flow style; version and storage are there without */
  void apply(String spec) {
    String storage = spec.contains("storage:") ? "" : "storage: {size: 1Gi}, ";
    client
        .resource(
            Serialization.unmarshal(
                "apiVersion: kvorum.io/v1alpha1\nkind: KvorumCluster\nmetadata: {name: kv, namespace: " + namespace + "}\nspec: {version: 0.1.0, "
                    + storage + spec + "}\n",
                KvorumCluster.class))
        .fieldManager("user")
        .serverSideApply();
  }

  /** One that remembers nothing. */
  KubernetesRuntime runtime() {
    return new KubernetesRuntime(
        new KubernetesRuntime.Installation(
            client, new FreshCaches(client), new Defaults("kvorum/kvorum", "cluster.local"), Clock.systemUTC(), new SecureRandom(), "it"),
        new KubernetesRuntime.Target(namespace, "kv"));
  }

  void pass() {
    runtime.applyBase(runtime.surroundings());
  }

  void create(String member, int ordinal) {
    runtime.surroundings();
    runtime.createMember(new Action.CreateMember(member, ordinal, JoinMode.SEED, "token"));
    runtime.surroundings();
  }

  void start() {
    create(MEMBER, 0);
    runtime.startPod(new Action.StartPod(MEMBER, List.of(MEMBER + "=" + runtime.peerUrl(MEMBER)), "token", StartMode.NEW));
  }

  void role(String name, String role) {
    runtime.surroundings();
    KvorumMember member = client.resources(KvorumMember.class).inNamespace(namespace).withName(name).get();
    member.setStatus(Serialization.unmarshal("memberID: ab12\nphase: Voting\nrole: " + role + "\n", KvorumMemberStatus.class));
    runtime.writeMember(member);
  }

  Pod pod() {
    return client.pods().inNamespace(namespace).withName(MEMBER).get();
  }

  KvorumMember member() {
    return client.resources(KvorumMember.class).inNamespace(namespace).withName(MEMBER).get();
  }

  String text(String secret, String key) {
    return Secrets.value(client.secrets().inNamespace(namespace).withName(secret).get(), key);
  }

  String fingerprint(String secret) {
    return Pem.fingerprint(Pem.certificates(text(secret, Secrets.CERTIFICATE)).getFirst());
  }

  /** What the planner is shown of a member that answers this. */
  MemberAnswer recognised(String configHash, Set<String> fingerprints) {
    MemberAnswer answer =
        new MemberAnswer(MEMBER, Instant.now(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false, true, "0.1.0", "3.6.0", configHash, fingerprints, List.of());
    runtime.surroundings();
    return runtime.recognise(new StoreState(List.of(answer), Optional.empty(), List.of(), Optional.empty())).answers().getFirst();
  }

  /** Versions of all objects of the namespace that the operator writes. */
  Map<String, String> versions() {
    Map<String, String> versions = new HashMap<>();
    Stream.of(
            client.services().inNamespace(namespace).list().getItems(),
            client.configMaps().inNamespace(namespace).withLabel(Names.CLUSTER).list().getItems(),
            client.secrets().inNamespace(namespace).withLabel(Names.CLUSTER).list().getItems(),
            client.pods().inNamespace(namespace).list().getItems(),
            client.resources(KvorumMember.class).inNamespace(namespace).list().getItems(),
            client.resources(KvorumCluster.class).inNamespace(namespace).list().getItems())
        .flatMap(List::stream)
        .map(HasMetadata.class::cast)
        .forEach(object -> versions.put(object.getKind() + "/" + object.getMetadata().getName(), object.getMetadata().getResourceVersion()));
    return versions;
  }

  static void await(BooleanSupplier condition) {
    Instant deadline = Instant.now().plus(DEADLINE);
    while (!condition.getAsBoolean()) {
      assertThat(Instant.now()).as("the deadline").isBefore(deadline);
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
