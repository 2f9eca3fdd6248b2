package io.kvorum.operator.runtime.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.observe.Observation.DataReport;
import io.kvorum.operator.runtime.Owners;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads data directories whose members do not run, by a pod each that prints what it finds and ends. A pod that has ended is read and deleted; its answer is kept
 * until the member runs again.
 */
final class Inspections {
  private static final int LOG_BYTES = 64 << 10;

  private final KubernetesClient client;
  private final Writes writes;
  private final Defaults defaults;
  private final Clock clock;
  private final List<DataReport> reports = new ArrayList<>();

  Inspections(KubernetesClient client, Writes writes, Defaults defaults, Clock clock) {
    this.client = client;
    this.writes = writes;
    this.defaults = defaults;
    this.clock = clock;
  }

  void begin(KvorumCluster cluster, KvorumMember member) {
    reports.removeIf(report -> report.member().equals(member.getSpec().memberName()));
    writes.create(MemberPod.inspection(cluster, member, Owners.controlledBy(member), defaults));
  }

  /** What was found so far. */
  List<DataReport> reports(KvorumCluster cluster) {
    for (Pod pod : pods(cluster)) {
      String phase = pod.getStatus() == null ? "" : pod.getStatus().getPhase();
      if ("Succeeded".equals(phase) || "Failed".equals(phase)) {
        String member = pod.getMetadata().getLabels().get(Names.MEMBER);
        reports.removeIf(report -> report.member().equals(member));
        reports.add(report(member, phase.equals("Succeeded") ? log(pod) : ""));
        writes.deletePod(pod.getMetadata().getNamespace(), pod.getMetadata().getName(), pod.getMetadata().getUid());
      }
    }
    return List.copyOf(reports);
  }

  /** Ends what still runs and forgets what was found. */
  void end(KvorumCluster cluster) {
    if (!reports.isEmpty()) {
      pods(cluster).forEach(pod -> writes.deletePod(pod.getMetadata().getNamespace(), pod.getMetadata().getName(), pod.getMetadata().getUid()));
      reports.clear();
    }
  }

  /** Whether a volume is still held by one. */
  boolean holds(KvorumCluster cluster, String member) {
    return pods(cluster).stream().anyMatch(pod -> member.equals(pod.getMetadata().getLabels().get(Names.MEMBER)));
  }

  private List<Pod> pods(KvorumCluster cluster) {
    return client
        .pods()
        .inNamespace(cluster.getMetadata().getNamespace())
        .withLabel(Names.INSPECTION, cluster.getMetadata().getName())
        .list()
        .getItems();
  }

  private String log(Pod pod) {
    try {
      return client.pods().resource(pod).limitBytes(LOG_BYTES).getLog();
    } catch (KubernetesClientException e) {
      return "";
    }
  }

  /** The line of JSON among what was printed. */
  private DataReport report(String member, String printed) {
    for (String line : printed.lines().toList()) {
      if (line.startsWith("{") && line.contains("\"last_index\"")) {
        JsonNode found = Serialization.unmarshal(line, JsonNode.class);
        long term = found.has("last_term") ? found.get("last_term").asLong() : found.path("term").asLong();
        return new DataReport(member, clock.instant(), true, term, found.path("last_index").asLong(), found.path("revision").asLong());
      }
    }
    return new DataReport(member, clock.instant(), false, 0, 0, 0);
  }
}
