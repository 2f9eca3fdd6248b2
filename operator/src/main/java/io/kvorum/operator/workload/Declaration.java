package io.kvorum.operator.workload;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.kvorum.operator.api.Api;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a pod, or the template of its owner, asks a cluster for by its label and annotations.
 *
 * @param namespace of the pod
 * @param cluster that it asks
 * @param prefixes of keys that it wants to read and write
 * @param service name under which it registers, empty for none
 */
public record Declaration(String namespace, ClusterRef cluster, Set<String> prefixes, String service) {
  /** Label of pods: name of the cluster whose agent they want. */
  public static final String INJECT = Api.GROUP + "/inject";

  /** Annotation of pods: namespace of the cluster; the pod's own when absent. */
  public static final String INJECT_NAMESPACE = Api.GROUP + "/inject-namespace";

  /** Annotation of pods: prefixes by commas. */
  public static final String PREFIXES = Api.GROUP + "/prefixes";

  /** Annotation of pods: name of the service that they are instances of. */
  public static final String REGISTER = Api.GROUP + "/register";

  public Declaration {
    prefixes = Set.copyOf(prefixes);
  }

  /** Which cluster. */
  public record ClusterRef(String namespace, String name) {
    @Override
    public String toString() {
      return namespace + "/" + name;
    }
  }

  /** Of a pod in this namespace, or of a template that makes pods there; empty without the label. */
  public static Optional<Declaration> of(ObjectMeta about, String namespace) {
    String cluster = texts(about == null ? null : about.getLabels()).getOrDefault(INJECT, "");
    if (cluster.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> annotations = texts(about.getAnnotations());
    String in = annotations.getOrDefault(INJECT_NAMESPACE, "").strip();
    Set<String> prefixes = new TreeSet<>();
    Arrays.stream(annotations.getOrDefault(PREFIXES, "").split(",")).map(String::strip).filter(text -> !text.isEmpty()).forEach(prefixes::add);
    return Optional.of(
        new Declaration(namespace, new ClusterRef(in.isEmpty() ? namespace : in, cluster), prefixes, annotations.getOrDefault(REGISTER, "").strip()));
  }

  private static Map<String, String> texts(Map<String, String> map) {
    return map == null ? Map.of() : map;
  }
}
