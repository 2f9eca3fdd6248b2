package io.kvorum.operator.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.zjsonpatch.JsonPatch;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.desired.Examples;
import java.util.List;
import java.util.Optional;

/** Pods that ask, and what becomes of them. */
final class Pods {
  private static final ObjectMapper JSON = Serialization.jsonMapper();

  private Pods() {}

  /**
   * A pod of the Deployment "web" as the API server shows it to a webhook.
   *
   * @param annotations lines of YAML, indented by four
   * @param spec lines of YAML, indented by two
   */
  static Pod web(String annotations, String spec) {
    return Serialization.unmarshal(
        """
        apiVersion: v1
        kind: Pod
        metadata:
          generateName: web-7d4f9c-
          labels: {app: web, pod-template-hash: 7d4f9c, kvorum.io/inject: kv, app.kubernetes.io/version: "2.1"}
          ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d4f9c, uid: u, controller: true}]
          annotations:
            kvorum.io/prefixes: shop/,cache/
        """
            + annotations + "spec:\n" + spec,
        Pod.class);
  }

  static final String PLAIN = "  containers: [{name: web, image: web:1}]\n";

  /** Two voters and a learner. */
  static KvorumCluster cluster(String spec) {
    KvorumCluster cluster = Examples.cluster(spec);
    cluster.setStatus(
        Serialization.unmarshal(
            "members: [{name: kv-0, role: Voter}, {name: kv-3, role: Leader}, {name: kv-4, role: Learner}]\nversion: {target: 1.2.3}\n", KvorumClusterStatus.class));
    return cluster;
  }

  static Outcome decide(Pod pod, KvorumCluster cluster) {
    return decide(pod, "shop", cluster);
  }

  static Outcome decide(Pod pod, String namespace, KvorumCluster cluster) {
    return Injection.decide(
        pod, namespace,
        asked -> Optional.of(cluster).filter(one -> asked.name().equals(one.getMetadata().getName()) && asked.namespace().equals(one.getMetadata().getNamespace())),
        Examples.DEFAULTS);
  }

  /** The pod after the patch, by the rules of RFC 6902. */
  static Pod patched(Pod pod, Outcome outcome) {
    JsonNode patch = JSON.valueToTree(((Outcome.Patched) outcome).patch());
    return JSON.convertValue(JsonPatch.apply(patch, JSON.valueToTree(pod)), Pod.class);
  }

  static List<String> reasons(Outcome outcome) {
    return ((Outcome.Refused) outcome).reasons();
  }
}
