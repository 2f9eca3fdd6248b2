package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.kvorum.operator.api.KvorumCluster;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Objects of the Prometheus operator. */
public final class Monitoring {
  /** Group and version of both kinds. */
  public static final String API = "monitoring.coreos.com/v1";

  public static final String SERVICE_MONITOR = "ServiceMonitor";
  public static final String RULE = "PrometheusRule";

  private Monitoring() {}

  /** Scrapes every member. */
  public static GenericKubernetesResource serviceMonitor(KvorumCluster cluster) {
    String name = cluster.getMetadata().getName();
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("selector", Map.of("matchLabels", sorted(Map.of(Names.CLUSTER, name, "kvorum.io/service", "metrics"))));
    spec.put("namespaceSelector", Map.of("matchNames", List.of(cluster.getMetadata().getNamespace())));
    spec.put("endpoints", List.of(sorted(Map.of("port", "metrics", "path", "/metrics", "interval", "15s"))));
    return resource(cluster, SERVICE_MONITOR, spec);
  }

  /** Alerts on what a person must look at. */
  public static GenericKubernetesResource rules(KvorumCluster cluster) {
    String name = cluster.getMetadata().getName();
    String jobs = "{namespace=\"" + cluster.getMetadata().getNamespace() + "\",service=\"" + Names.metricsService(name) + "\"}";
    List<Map<String, Object>> rules =
        List.of(
            alert("KvorumMembersDown", "sum(up" + jobs + " == bool 0) > 0", "5m", "warning", "A member of " + name + " does not answer."),
            alert(
                "KvorumInsufficientMembers", "sum(up" + jobs + " == bool 1) < ((count(up" + jobs + ") + 1) / 2)", "1m", "critical",
                name + " has no majority of its members: nothing can be written."),
            alert("KvorumNoLeader", "etcd_server_has_leader" + jobs + " == 0", "1m", "critical", "A member of " + name + " knows no leader."),
            alert(
                "KvorumManyLeaderChanges", "increase(etcd_server_leader_changes_seen_total" + jobs + "[15m]) >= 4", "5m", "warning",
                "Leadership of " + name + " changes often."),
            alert(
                "KvorumDatabaseNearlyFull",
                "etcd_mvcc_db_total_size_in_bytes" + jobs + " / etcd_server_quota_backend_bytes" + jobs + " > 0.9", "10m", "critical",
                "The database of " + name + " is nearly as large as its quota."),
            alert(
                "KvorumSlowLog", "histogram_quantile(0.99, rate(etcd_disk_wal_fsync_duration_seconds_bucket" + jobs + "[5m])) > 0.5", "10m", "warning",
                "Forcing the log of " + name + " to the disk takes more than half a second."));
    return resource(cluster, RULE, Map.of("groups", List.of(ordered("name", "kvorum-" + name, "rules", rules))));
  }

  private static Map<String, Object> alert(String name, String expression, String holds, String severity, String text) {
    Map<String, Object> rule = ordered("alert", name, "expr", expression);
    rule.put("for", holds);
    rule.put("labels", Map.of("severity", severity));
    rule.put("annotations", Map.of("summary", text));
    return rule;
  }

  private static GenericKubernetesResource resource(KvorumCluster cluster, String kind, Map<String, Object> spec) {
    String name = cluster.getMetadata().getName();
    return new GenericKubernetesResourceBuilder()
        .withApiVersion(API)
        .withKind(kind)
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(Names.labels(name))
        .endMetadata()
        .addToAdditionalProperties("spec", spec)
        .build();
  }

  private static Map<String, Object> ordered(String first, Object one, String second, Object other) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put(first, one);
    map.put(second, other);
    return map;
  }

  private static Map<String, Object> sorted(Map<String, Object> map) {
    return new java.util.TreeMap<>(map);
  }
}
