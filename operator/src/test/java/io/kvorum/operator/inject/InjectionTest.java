package io.kvorum.operator.inject;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Golden;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class InjectionTest {
  private static final KvorumCluster CLUSTER = Pods.cluster("  auth: {enabled: true}\n");
  private static final String READY =
      """
        terminationGracePeriodSeconds: 20
        containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 8080}, {name: udp, containerPort: 53, protocol: UDP}]
          env: [{name: ETCDCTL_ENDPOINTS, value: mine}, {name: URL, value: $(KVORUM_ENDPOINTS)}]
          readinessProbe: {httpGet: {path: /healthz?full=1, port: http}, periodSeconds: 3}
        - name: helper
          image: helper:1
          lifecycle: {preStop: {exec: {command: [drain]}}}
      """;

  @Test
  void podOfADeploymentThatIsRegistered() {
    Pod pod =
        Pods.web(
            """
                kvorum.io/register: web
                kvorum.io/register-metadata: weight=10, note=a$(b)
                kvorum.io/stale-reads: "true"
                kvorum.io/agent-port: "12379"
                kvorum.io/dns-port: "2381"
                kvorum.io/agent-resources: cpu=200m,memory=1Gi
            """,
            READY);
    Outcome outcome = Pods.decide(pod, CLUSTER);

    assertThat(((Outcome.Patched) outcome).warnings()).isEmpty();
    Golden.matches("injected-registered", Pods.patched(pod, outcome));
  }

  @Test
  void podWithInitContainersAndSidecarsOfOthers() {
    String spec =
        """
          initContainers:
          - {name: migrate, image: web:1, env: [{name: A, value: b}]}
          - {name: mesh, image: mesh:1, restartPolicy: Always}
          containers:
          - {name: web, image: web:1, ports: [{containerPort: 2381}]}
          volumes: [{name: own, emptyDir: {}}]
          imagePullSecrets: [{name: mine}]
        """;
    Pod pod = Pods.web("    kvorum.io/mirror: shop/public/,services/\n", spec);
    KvorumCluster cluster =
        Pods.cluster("  tls: {client: {mode: Managed, clientAuth: Required}, peer: {mode: Managed}}\n  image: {repository: store/kvorum, pullPolicy: Never, pullSecrets: [pull]}\n");

    Golden.matches("injected-among-others", Pods.patched(pod, Pods.decide(pod, cluster)));
  }

  @Test
  void podInItsHostsNetworkOfAClusterWithoutTls() {
    String spec = "  hostNetwork: true\n  securityContext: {runAsUser: 1000}\n  containers:\n  - {name: a, image: a}\n  - {name: b, image: b, securityContext: {runAsUser: 7}}\n";
    Pod pod = Pods.web("", spec);
    Outcome outcome = Pods.decide(pod, Pods.cluster("  tls: {client: {mode: Disabled}}\n"));

    assertThat(((Outcome.Patched) outcome).warnings()).singleElement().asString().contains("ClusterFirstWithHostNet");
    Golden.matches("injected-host-network", Pods.patched(pod, outcome));
  }

  @Test
  void aPodThatHasAnAgentIsNotPatchedAgain() {
    Pod pod = Pods.web("    kvorum.io/register: web\n", READY);

    assertThat(Pods.decide(Pods.patched(pod, Pods.decide(pod, CLUSTER)), CLUSTER)).isEqualTo(new Outcome.Present());
  }

  @Test
  void aPodOfAnotherNamespaceAsksByAnnotationAndGetsItsOwnUserAndNoPullSecrets() {
    KvorumCluster cluster =
        Pods.cluster("  auth: {enabled: true}\n  image: {pullSecrets: [pull]}\n  injection: {namespaces: [{name: web, prefixes: [shop/, cache/]}]}\n");
    Pod pod = Pods.web("    kvorum.io/inject-namespace: shop\n", Pods.PLAIN);
    Pod patched = Pods.patched(pod, Pods.decide(pod, "web", cluster));

    assertThat(agent(patched).getArgs()).contains("--user=agent:web:web");
    assertThat(patched.getSpec().getImagePullSecrets()).isEmpty();
    assertThat(Pods.reasons(Pods.decide(pod, "elsewhere", cluster))).containsExactly("spec.injection of shop/kv does not list the namespace elsewhere");
    assertThat(Pods.reasons(Pods.decide(Pods.web("", Pods.PLAIN), "web", cluster)))
        .containsExactly("there is no KvorumCluster web/kv that this operator looks after");
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of("kvorum.io/agent-port: \"80\"", "", "kvorum.io/agent-port is a number from 1024 to 65535, not \"80\""),
        Arguments.of("kvorum.io/agent-port: many", "", "kvorum.io/agent-port is a number from 1024 to 65535, not \"many\""),
        Arguments.of("kvorum.io/stale-reads: \"yes\"", "", "kvorum.io/stale-reads is true or false, not \"yes\""),
        Arguments.of("kvorum.io/stale-reads: \"true\"\n    kvorum.io/mirror: \"\"", "", "kvorum.io/stale-reads needs a mirrored prefix"),
        Arguments.of("kvorum.io/mirror: other/", "", "kvorum.io/mirror: \"other/\" is not part of kvorum.io/prefixes or services/"),
        Arguments.of("kvorum.io/agent-resources: memory=lots", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/agent-resources: disk=1Gi", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/agent-resources: memory=1e999999999", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/agent-resources: memory=-1Gi", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/agent-resources: '{\"requests\": {\"cpu\": \"2\"}, \"limits\": {\"cpu\": \"1\"}}'", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/agent-resources: '{\"wishes\": 1}'", "", "kvorum.io/agent-resources is a ResourceRequirements"),
        Arguments.of("kvorum.io/register: Web", "ports: [{containerPort: 1}]", "the service \"Web\" is not a lower-case label of DNS"),
        Arguments.of("kvorum.io/register: web", "", "the containers declare no TCP port: set kvorum.io/register-port"),
        Arguments.of("kvorum.io/register: web", "ports: [{containerPort: 1}, {containerPort: 2}]", "the containers declare several TCP ports: set kvorum.io/register-port"),
        Arguments.of("kvorum.io/register: web\n    kvorum.io/register-port: grpc", "", "kvorum.io/register-port: no container has a TCP port grpc"),
        Arguments.of("kvorum.io/register: web\n    kvorum.io/register-port: \"99999\"", "", "kvorum.io/register-port is a number from 1 to 65535, not 99999"),
        Arguments.of("kvorum.io/register: web\n    kvorum.io/register-metadata: heavy", "ports: [{containerPort: 1}]", "kvorum.io/register-metadata: \"heavy\" is not KEY=VALUE"),
        Arguments.of("kvorum.io/register: web\n    kvorum.io/register-readiness: exec", "ports: [{containerPort: 1}]", "kvorum.io/register-readiness cannot be \"exec\""),
        Arguments.of("kvorum.io/register: web\n    kvorum.io/drain-seconds: \"-1\"", "ports: [{containerPort: 1}]", "kvorum.io/drain-seconds is a number from 0 to 3600, not \"-1\""),
        Arguments.of("kvorum.io/register-port: \"1\"", "", "kvorum.io/register-port needs kvorum.io/register"),
        Arguments.of("kubernetes.io/config.mirror: hash", "", "a static pod cannot be changed"),
        Arguments.of("kvorum.io/dns-port: \"53\"", "ports: [{containerPort: 53, protocol: UDP}]", "port 53 is the container web's: set kvorum.io/dns-port"),
        Arguments.of("kvorum.io/dns-port: \"2379\"", "", "kvorum.io/dns-port cannot be the agent's own port"),
        Arguments.of("a: b", "ports: [{containerPort: 2379}]", "port 2379 is the container web's: set kvorum.io/agent-port"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("refused")
  void whatStandsAgainstItIsSaid(String annotation, String container, String reason) {
    Pod pod = Pods.web("    " + annotation + "\n", "  containers:\n  - name: web\n    image: web:1\n" + (container.isEmpty() ? "" : "    " + container + "\n"));

    assertThat(Pods.reasons(Pods.decide(pod, CLUSTER))).singleElement().asString().startsWith(reason);
  }

  @Test
  void whatStandsAgainstItIsSaidAllAtOnce() {
    Pod pod = Pods.web("    kvorum.io/stale-reads: perhaps\n    kvorum.io/inject-namespace: nowhere\n", "  os: {name: windows}\n" + Pods.PLAIN);

    assertThat(Pods.reasons(Pods.decide(pod, CLUSTER))).hasSize(3);
  }

  @Test
  void aClusterThatGivesNoAgentsAndAHostWhoseCallersCannotBeToldApart() {
    assertThat(Pods.reasons(Pods.decide(Pods.web("", Pods.PLAIN), Pods.cluster("  injection: {enabled: false}\n"))))
        .containsExactly("spec.injection of shop/kv is switched off");
    assertThat(Pods.reasons(Pods.decide(Pods.web("", Pods.PLAIN), Pods.cluster("  tls: {client: {mode: Secret, secretRef: mine, clientAuth: Required}}\n"))))
        .singleElement().asString().contains("mode Managed only");
    assertThat(Pods.reasons(Pods.decide(Pods.web("", "  hostNetwork: true\n" + Pods.PLAIN), CLUSTER))).singleElement().asString().contains("set runAsUser");
    assertThat(Pods.reasons(Pods.decide(Pods.web("    kvorum.io/dns-port: \"53\"\n", "  hostNetwork: true\n  securityContext: {runAsUser: 5}\n" + Pods.PLAIN), CLUSTER)))
        .containsExactly("kvorum.io/dns-port: whoever is in the host's network could ask");
    assertThat(Pods.reasons(Pods.decide(Pods.web("", "  containers: [{name: kvorum-agent, image: a}]\n  volumes: [{name: kvorum-agent-data}]\n"), CLUSTER)))
        .containsExactly("the volume name kvorum-agent-data is taken", "the container name kvorum-agent is taken");
  }

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                                                     | ''                              | 1s  | false",
        "readinessProbe: {httpGet: {port: 9090}}                                | http://127.0.0.1:9090/          | 1s  | false",
        "readinessProbe: {httpGet: {port: 9090, path: ok}, periodSeconds: 300}  | http://127.0.0.1:9090/ok        | 5s  | false",
        "readinessProbe: {httpGet: {port: http, scheme: HTTPS}}                 | ''                              | 1s  | true",
        "readinessProbe: {httpGet: {port: http, httpHeaders: [{name: a}]}}      | ''                              | 1s  | true",
        "readinessProbe: {httpGet: {port: http, path: '/a b'}}                  | ''                              | 1s  | true",
        "readinessProbe: {tcpSocket: {port: 9090}}                              | tcp://127.0.0.1:9090            | 1s  | false",
        "readinessProbe: {tcpSocket: {port: http}, periodSeconds: 1}            | ''                              | 1s  | false",
        "readinessProbe: {grpc: {port: 8080, service: shop.Web}}                | grpc://127.0.0.1:8080/shop.Web  | 1s  | false",
        "readinessProbe: {exec: {command: [a]}, periodSeconds: 7}               | ''                              | 5s  | true",
      })
  void readinessIsThatOfTheContainerThatHasThePort(String probe, String readiness, String period, boolean warned) {
    Pod pod =
        Pods.web(
            "    kvorum.io/register: web\n",
            "  containers:\n  - name: web\n    image: web:1\n    ports: [{name: http, containerPort: 8080}]\n" + (probe.isEmpty() ? "" : "    " + probe + "\n"));
    Outcome outcome = Pods.decide(pod, CLUSTER);

    List<String> args = agent(Pods.patched(pod, outcome)).getArgs();
    assertThat(args).contains("--readiness-period=" + period, "--register-port=8080");
    assertThat(args.stream().filter(argument -> argument.startsWith("--readiness=")).toList())
        .isEqualTo(readiness.isEmpty() ? List.of() : List.of("--readiness=" + readiness));
    assertThat(((Outcome.Patched) outcome).warnings()).hasSize(warned ? 1 : 0);
  }

  @Test
  void anotherQuestionCanBeNamed() {
    Pod pod =
        Pods.web(
            "    kvorum.io/register: web\n    kvorum.io/register-port: \"8080\"\n    kvorum.io/register-readiness: http://127.0.0.1:1/x\n", Pods.PLAIN);
    Outcome outcome = Pods.decide(pod, CLUSTER);

    assertThat(agent(Pods.patched(pod, outcome)).getArgs()).contains("--readiness=http://127.0.0.1:1/x", "--register-port=8080");
  }

  @ParameterizedTest(name = "{0} of {1} s: {2}")
  @CsvSource({"5, 30, 5", "20, 30, 15", "0, 30, 0", "5, 4, 2", "5, 1, 0"})
  void theApplicationKeepsHalfOfItsGracePeriod(int asked, int grace, long seconds) {
    Pod pod =
        Pods.web(
            "    kvorum.io/register: web\n    kvorum.io/register-port: \"8080\"\n    kvorum.io/drain-seconds: \"" + asked + "\"\n",
            "  terminationGracePeriodSeconds: " + grace + "\n  containers: [{name: web, image: web:1, lifecycle: {postStart: {exec: {command: [a]}}}}]\n");
    Outcome outcome = Pods.decide(pod, CLUSTER);
    Container web = Pods.patched(pod, outcome).getSpec().getContainers().getFirst();

    assertThat(web.getLifecycle().getPostStart()).isNotNull();
    assertThat(web.getLifecycle().getPreStop() == null ? 0 : web.getLifecycle().getPreStop().getSleep().getSeconds()).isEqualTo(seconds);
    assertThat(((Outcome.Patched) outcome).warnings()).hasSize(seconds < asked ? 1 : 0);
  }

  @Test
  void aPodThatIsNotRegisteredEndsAsItAlwaysDid() {
    Pod pod = Pods.web("", READY);
    Pod patched = Pods.patched(pod, Pods.decide(pod, CLUSTER));

    assertThat(patched.getSpec().getContainers().getFirst().getLifecycle()).isNull();
    assertThat(agent(patched).getLifecycle()).isNull();
    assertThat(agent(patched).getArgs()).noneMatch(argument -> argument.startsWith("--re"));
    assertThat(patched.getSpec().getContainers().getFirst().getEnv().stream().map(EnvVar::getName))
        .containsExactlyElementsOf(List.of("KVORUM_ENDPOINTS", "ETCDCTL_ENDPOINTS", "URL"));
  }

  private static Container agent(Pod pod) {
    assertThat(pod.getSpec().getInitContainers().getFirst().getName()).isEqualTo(Injection.CONTAINER);
    return pod.getSpec().getInitContainers().getFirst();
  }
}
