package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfigBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.Operator;
import io.kvorum.operator.InjectionWatch;
import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.inject.Injection;
import io.kvorum.operator.webhook.Admission;
import io.kvorum.operator.webhook.ServingKeeper;
import io.kvorum.operator.webhook.WebhookServer;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The chart's webhook, with the rights that the chart gives, on an API server that asks it for every pod with the label. */
class InjectionIT extends ApiServerFixture {
  private static final String HOME = "kvorum-system";
  private static final String NAME = "kvorum-operator-kvorum-system";
  private static final Defaults DEFAULTS = new Defaults("kvorum/kvorum", "cluster.local");
  private static final Leaf LEAF = new Leaf("kvorum-webhook", List.of("kvorum-operator.kvorum-system.svc"), List.of("127.0.0.1"));
  private static final AtomicInteger REVIEWS = new AtomicInteger();

  private static volatile Instant now = Instant.now();
  private static Vertx vertx;
  private static KubernetesClient operator;
  private static KubernetesWebhook objects;
  private static WebhookServer server;
  private static ServingKeeper keeper;

  @BeforeAll
  static void install() throws Exception {
    if (client.namespaces().withName(HOME).get() == null) {
      client.resource(new NamespaceBuilder().withNewMetadata().withName(HOME).endMetadata().build()).create();
    }
    List<HasMetadata> chart = client.load(Files.newInputStream(Path.of("../charts/golden/default.yaml"))).items();
    chart.stream()
        .filter(one -> Set.of("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding").contains(one.getKind()))
        .forEach(one -> client.resource(one).forceConflicts().serverSideApply());
    vertx = Vertx.vertx();
    Config config = new ConfigBuilder(client.getConfiguration()).withImpersonateUsername("system:serviceaccount:" + HOME + ":kvorum-operator").build();
    operator = new KubernetesClientBuilder().withConfig(config).build();
    objects = new KubernetesWebhook(operator, new KubernetesWebhook.Place(HOME, "kvorum-operator-webhook", NAME), Set.of());
    Admission admission = new Admission(objects::cluster, DEFAULTS);
    server =
        new WebhookServer(vertx, 0, review -> {
          REVIEWS.incrementAndGet();
          return admission.answer(review);
        });
    keeper =
        new ServingKeeper(
            objects, new ServingKeeper.Place(HOME, "kvorum-operator-webhook", LEAF), new Issuer(new SecureRandom()), () -> now, () -> true, server::show);
    client.secrets().inNamespace(HOME).withName("kvorum-operator-webhook").delete();
    MutatingWebhookConfiguration webhook =
        chart.stream().filter(MutatingWebhookConfiguration.class::isInstance).map(MutatingWebhookConfiguration.class::cast).findFirst().orElseThrow();
    client.resource(webhook).delete();
    try {
      keeper.pass(); // listens, and finds no configuration yet
    } catch (IllegalStateException e) {
      assertThat(e).hasMessageContaining("there is no MutatingWebhookConfiguration " + NAME);
    }
    for (MutatingWebhook one : webhook.getWebhooks()) {
      // Without nodes no Service leads here.
      one.setClientConfig(new WebhookClientConfigBuilder().withUrl("https://127.0.0.1:" + server.port() + "/inject").build());
    }
    client.resource(webhook).create();
    keeper.pass();
  }

  @AfterAll
  static void uninstall() throws Exception {
    client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(NAME).delete();
    server.close();
    operator.close();
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** A pod that the namespace's Pod Security Standard admits. */
  private Pod wanted(String name, String labels, String annotations) {
    return Serialization.unmarshal(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, namespace: %s, labels: {%s}, annotations: {%s}}
        spec:
          securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
          initContainers: [{name: first, image: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
          containers:
          - name: web
            image: a
            ports: [{containerPort: 8080}]
            readinessProbe: {httpGet: {port: 8080, path: /ready}}
            securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        """
            .formatted(name, namespace, labels, annotations),
        Pod.class);
  }

  private Pod make(String name, String labels, String annotations) {
    return client.resource(wanted(name, labels, annotations)).create();
  }

  /** API servers take a moment to hear of a configuration or of another bundle. */
  private void awaitWebhook() {
    await(() -> Injection.present(client.resource(wanted("probe", "kvorum.io/inject: kv", "")).dryRun().create()));
  }

  @Test
  void podsWithTheLabelGetAnAgentAndOthersNeverReachTheWebhook() {
    awaitWebhook();
    int before = REVIEWS.get();
    Pod plain = make("plain", "app: web", "");
    assertThat(Injection.present(plain)).isFalse();
    assertThat(REVIEWS).hasValue(before);

    Pod pod = make("asks", "app: web, kvorum.io/inject: kv", "kvorum.io/prefixes: shop/, kvorum.io/register: web, kvorum.io/drain-seconds: '7'");

    assertThat(REVIEWS.get()).isGreaterThan(before);
    assertThat(pod.getSpec().getInitContainers()).extracting(Container::getName).containsExactly(Injection.CONTAINER, "first");
    Container agent = pod.getSpec().getInitContainers().getFirst();
    assertThat(agent.getRestartPolicy()).isEqualTo("Always");
    assertThat(agent.getImage()).isEqualTo("kvorum/kvorum:0.1.0");
    assertThat(agent.getArgs()).contains("--user=agent:" + namespace + ":asks", "--mirror=shop/", "--readiness=http://127.0.0.1:8080/ready");
    Container web = pod.getSpec().getContainers().getFirst();
    assertThat(web.getEnv()).extracting(EnvVar::getName).containsExactly("KVORUM_ENDPOINTS", "ETCDCTL_ENDPOINTS");
    assertThat(web.getLifecycle().getPreStop().getSleep().getSeconds()).isEqualTo(7);
    assertThat(secrets(pod)).containsExactly("kvorum-agent-asks");
  }

  @Test
  void aNameThatIsNoneLeadsNowhere() {
    ClusterRef there = new ClusterRef(namespace, "kv");
    assertThat(objects.cluster(there)).isPresent();
    assertThat(new KubernetesWebhook(operator, new KubernetesWebhook.Place(HOME, "s", NAME), Set.of("elsewhere")).cluster(there)).isEmpty();
    assertThat(objects.cluster(new ClusterRef("../" + namespace, "kv"))).isEmpty();
    assertThat(objects.cluster(new ClusterRef(namespace + "/kvorumclusters/kv/status?x=", "kv"))).isEmpty();
    assertThat(objects.cluster(new ClusterRef(namespace, ".."))).isEmpty();
  }

  @Test
  void podsOfADeploymentShareTheirWorkloadsSecret() {
    awaitWebhook();
    Deployment deployment = Serialization.unmarshal("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: " + namespace + "}\n", Deployment.class);
    Pod template = wanted("t", "app: shop, kvorum.io/inject: kv", "kvorum.io/prefixes: shop/");
    client
        .resource(
            deployment
                .edit()
                .withNewSpec()
                .withReplicas(1)
                .withNewSelector()
                .addToMatchLabels("app", "shop")
                .endSelector()
                .withNewTemplate()
                .withNewMetadata()
                .withLabels(template.getMetadata().getLabels())
                .withAnnotations(template.getMetadata().getAnnotations())
                .endMetadata()
                .withSpec(template.getSpec())
                .endTemplate()
                .endSpec()
                .build())
        .create();
    await(() -> !client.pods().inNamespace(namespace).withLabel("app", "shop").list().getItems().isEmpty());

    Pod pod = client.pods().inNamespace(namespace).withLabel("app", "shop").list().getItems().getFirst();
    assertThat(Injection.present(pod)).isTrue();
    assertThat(secrets(pod)).containsExactly("kvorum-agent-shop");
  }

  private static List<String> secrets(Pod pod) {
    return pod.getSpec().getVolumes().stream().filter(volume -> volume.getSecret() != null).map(volume -> volume.getSecret().getSecretName()).toList();
  }

  @Test
  void aPodThatCannotBeHelpedIsMadeAsItIsAndAnEventSaysWhy() {
    awaitWebhook();
    Pod bad = make("bad", "kvorum.io/inject: kv", "kvorum.io/agent-port: 'none'");
    Pod lost = make("lost", "kvorum.io/inject: other", "");
    make("fine", "kvorum.io/inject: kv", "");
    assertThat(Injection.present(bad)).isFalse();
    assertThat(bad.getSpec().getContainers().getFirst().getEnv()).isEmpty();

    // Two leaders, one after the other, as after a change of the lease.
    for (int leader = 0; leader < 2; leader++) {
      Operator watching = new Operator(override -> override.withKubernetesClient(operator).withCloseClientOnStop(false));
      EventPublisher events = new EventPublisher(operator, Clock.systemUTC(), "it");
      AtomicInteger told = new AtomicInteger();
      InjectionWatch watch =
          new InjectionWatch(Clock.systemUTC(), objects::cluster, DEFAULTS, (event, about) -> {
            events.publishOnce(event, about);
            told.incrementAndGet();
          });
      watching.register(watch, override -> override.settingNamespaces(Set.of(namespace)));
      watching.start();
      await(() -> told.get() >= 2);
      watching.stop();
    }

    List<Event> events =
        client.events().v1().events().inNamespace(namespace).list().getItems().stream().filter(event -> "InjectionMissing".equals(event.getReason())).toList();
    assertThat(events).extracting(event -> event.getRegarding().getName()).containsExactlyInAnyOrder("bad", "lost");
    assertThat(events).allSatisfy(event -> assertThat(event.getType()).isEqualTo("Warning"));
    assertThat(events).filteredOn(event -> event.getRegarding().getUid().equals(bad.getMetadata().getUid())).singleElement().satisfies(
        event -> assertThat(event.getNote()).contains("kvorum.io/agent-port is a number from 1024 to 65535"));
    assertThat(events).filteredOn(event -> event.getRegarding().getUid().equals(lost.getMetadata().getUid())).singleElement().satisfies(
        event -> assertThat(event.getNote()).contains("there is no KvorumCluster " + namespace + "/other"));
  }

  @Test
  void podsGetAgentsThroughTheWholeRotationOfTheAuthority() {
    awaitWebhook();
    client.secrets().inNamespace(HOME).withName("kvorum-operator-webhook").delete();
    // Made so long ago that its last year has begun. What is made from now on is valid for an hour before it, and the phases fit into that.
    now = Instant.now().minus(Authority.VALIDITY).plus(Duration.ofDays(300));
    keeper.pass();
    String old = bundle();
    now = Instant.now();
    for (int phase = 0; phase < 5; phase++) {
      keeper.pass();
      awaitWebhook();
      assertThat(Injection.present(make("rotated-" + phase, "kvorum.io/inject: kv", ""))).isTrue();
      now = now.plus(Duration.ofMinutes(31));
    }

    assertThat(bundle()).isNotEqualTo(old);
    assertThat(Pem.certificates(new String(Base64.getDecoder().decode(bundle()), StandardCharsets.UTF_8))).as("the old one is dropped").hasSize(1);
    now = Instant.now();
  }

  private String bundle() {
    return client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(NAME).get().getWebhooks().getFirst().getClientConfig().getCaBundle();
  }

  @Test
  void withoutTheWebhookPodsAreMadeAsTheyAre() {
    awaitWebhook();
    MutatingWebhookConfiguration there = client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(NAME).get();
    String url = there.getWebhooks().getFirst().getClientConfig().getUrl();
    redirect("https://127.0.0.1:9/inject");
    await(() -> !Injection.present(client.resource(wanted("probe", "kvorum.io/inject: kv", "")).dryRun().create()));

    assertThat(Injection.present(make("alone", "kvorum.io/inject: kv", ""))).isFalse();
    redirect(url);
    awaitWebhook();
  }

  private static void redirect(String url) {
    client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(NAME).edit(one -> {
      one.getWebhooks().forEach(webhook -> webhook.getClientConfig().setUrl(url));
      return one;
    });
  }
}
