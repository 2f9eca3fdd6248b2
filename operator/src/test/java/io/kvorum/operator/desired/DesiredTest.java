package io.kvorum.operator.desired;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names.Plane;
import io.kvorum.operator.plan.Action.StartMode;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DesiredTest {
  private static final String FULL =
      """
        config: {snapshot-count: "5000", log-level: debug}
        quotaBytes: 4294967296
        autoCompaction: {mode: Revision, retention: "1000"}
        heartbeatInterval: 200ms
        electionTimeout: 2s
        image: {repository: store/kvorum, pullPolicy: Never, pullSecrets: [pull]}
        resources: {requests: {cpu: "1", memory: 2Gi}, limits: {memory: 2Gi}}
        jvmOptions: ["-XX:MaxRAMPercentage=40"]
        podTemplate:
          labels: {team: shop}
          annotations: {note: hello}
          nodeSelector: {disk: fast}
          tolerations: [{key: dedicated, operator: Equal, value: kvorum, effect: NoSchedule}]
          priorityClassName: high
          terminationGracePeriodSeconds: 90
          securityContext: {runAsUser: 1000, fsGroup: 1000}
          extraEnv: [{name: TZ, value: UTC}]
        services:
          client: {type: NodePort, annotations: {a: b}, labels: {c: d}}
          external: {type: LoadBalancer}
        tls:
          client: {mode: Managed, clientAuth: Required}
          peer: {mode: Managed}
        auth: {enabled: true}
        monitoring: {serviceMonitor: true, prometheusRule: true}
      """;
  private static final String PLAIN = "  tls: {client: {mode: Disabled}, peer: {mode: Disabled}}\n";

  @Test
  void services() {
    Golden.matches("services", Services.all(Examples.cluster("")));
    Golden.matches("services-full", Services.all(Examples.cluster(FULL)));
    Golden.matches("services-plain", Services.all(Examples.cluster(PLAIN)));
  }

  @Test
  void podOfALearner() {
    Golden.matches("pod", pod(Examples.cluster(""), "Learner", new MemberPod.Start(Examples.joining(), true, true)));
  }

  @Test
  void podWithEverythingSet() {
    Golden.matches("pod-full", pod(Examples.cluster(FULL), "Voter", new MemberPod.Start(Examples.joining(), true, false)));
  }

  @Test
  void podThatForcesANewClusterRunsOnceAndIsOutdated() {
    MemberConfig.Beginning forced = new MemberConfig.Beginning(StartMode.FORCE_NEW_CLUSTER, "token-2", List.of("kv-4=https://kv-4.kv-peer.shop.svc:2380"));
    KvorumCluster cluster = Examples.cluster(PLAIN);
    Pod pod = pod(cluster, "Leader", new MemberPod.Start(forced, true, false));

    assertThat(pod.getSpec().getRestartPolicy()).isEqualTo("Never");
    assertThat(pod.getMetadata().getAnnotations().get(Names.TEMPLATE_HASH)).isNotEqualTo(TemplateHash.of(cluster, Examples.DEFAULTS));
    Golden.matches("config-forced", PodConfig.configMap(cluster, Examples.member("Leader").getSpec(), forced));
  }

  @Test
  void inspectionOfAVolume() {
    Golden.matches("inspection", MemberPod.inspection(Examples.cluster(""), Examples.member("Voter"), Examples.owner(), Examples.DEFAULTS));
  }

  @Test
  void configuration() {
    Golden.matches("config", PodConfig.configMap(Examples.cluster(""), Examples.member("Voter").getSpec(), Examples.joining()));
    Golden.matches("config-full", PodConfig.configMap(Examples.cluster(FULL), Examples.member("Voter").getSpec(), Examples.joining()));
  }

  @Test
  void claims() {
    KvorumCluster cluster = Examples.cluster("");
    var claim = Storage.claim(cluster, "kv-4", Names.claim("kv-4", cluster.getMetadata().getUid()), cluster.getSpec().storage().size());
    Golden.matches("claim", claim);
    Golden.matches("claim-copy", Storage.copy(cluster, "kv-4", claim, "ab12"));
  }

  @Test
  void budgetKeepsAMajorityAndLeavesASingleVoterAlone() {
    KvorumCluster cluster = Examples.cluster("");
    Golden.matches("budget", Budget.of(cluster, 5).orElseThrow());
    assertThat(Budget.of(cluster, 3).orElseThrow().getSpec().getMinAvailable().getIntVal()).isEqualTo(2);
    assertThat(Budget.of(cluster, 1)).isEmpty();
    assertThat(Budget.of(cluster, 0)).isEmpty();
  }

  @Test
  void monitors() {
    KvorumCluster cluster = Examples.cluster(FULL);
    Golden.matches("monitors", List.of(Monitoring.serviceMonitor(cluster), Monitoring.rules(cluster)));
  }

  @Test
  void orderAtCertManager() {
    String spec = "  tls: {client: {mode: CertManager, issuerRef: {name: ca, kind: ClusterIssuer}}, peer: {mode: Managed}}\n";
    KvorumCluster cluster = Examples.cluster(spec);
    Golden.matches(
        "order",
        Secrets.order(
            cluster, cluster.getSpec().tls().client(), Names.certificate("kv-4", Plane.CLIENT), Names.labels("kv", "kv-4"),
            Secrets.leafOf(cluster, "kv-4", Plane.CLIENT, Examples.DEFAULTS)));
  }

  static Stream<Arguments> changes() {
    return Stream.of(
        Arguments.of("another version", "  version: 1.2.4\n", true),
        Arguments.of("another image", "  image: {repository: other}\n", true),
        Arguments.of("an option that a restart takes", "  config: {snapshot-count: \"7\"}\n", true),
        Arguments.of("an option that a reload takes", "  config: {log-level: debug}\n", false),
        Arguments.of("the quota", "  quotaBytes: 4294967296\n", false),
        Arguments.of("JVM options", "  jvmOptions: [-Xmx1g]\n", true),
        Arguments.of("more memory", "  resources: {limits: {memory: 4Gi}}\n", true),
        Arguments.of("more processors", "  resources: {limits: {cpu: \"4\"}}\n", true),
        Arguments.of("labels", "  podTemplate: {labels: {a: b}}\n", false),
        Arguments.of("annotations", "  podTemplate: {annotations: {a: b}}\n", false),
        Arguments.of("another node selector", "  podTemplate: {nodeSelector: {a: b}}\n", true),
        Arguments.of("certificates of clients demanded", "  tls: {client: {mode: Managed, clientAuth: Required}, peer: {mode: Managed}}\n", true),
        Arguments.of("a Service's type", "  services: {client: {type: NodePort}}\n", false),
        Arguments.of("more members", "  replicas: 5\n", false),
        Arguments.of("larger volumes", "  storage: {size: 16Gi}\n", false),
        Arguments.of("users", "  auth: {enabled: true}\n", false));
  }

  @ParameterizedTest(name = "{0}: new template {2}")
  @MethodSource("changes")
  void templateHashCoversWhatAMemberConsumes(String name, String spec, boolean changes) {
    String before = TemplateHash.of(Examples.cluster(""), Examples.DEFAULTS);

    assertThat(TemplateHash.of(Examples.cluster(spec), Examples.DEFAULTS).equals(before)).isEqualTo(!changes);
  }

  @Test
  void aSameSpecificationHasTheSameHashWhateverTheOrderOfItsKeys() {
    String one = "  podTemplate: {nodeSelector: {a: b, c: d, e: f}}\n";
    String other = "  podTemplate: {nodeSelector: {e: f, c: d, a: b}}\n";

    assertThat(TemplateHash.of(Examples.cluster(one), Examples.DEFAULTS)).isEqualTo(TemplateHash.of(Examples.cluster(other), Examples.DEFAULTS));
  }

  private static Pod pod(KvorumCluster cluster, String role, MemberPod.Start start) {
    return MemberPod.pod(cluster, Examples.member(role), Examples.owner(), Examples.DEFAULTS, start);
  }
}
