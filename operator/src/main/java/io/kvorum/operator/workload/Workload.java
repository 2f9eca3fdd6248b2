package io.kvorum.operator.workload;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.kvorum.operator.desired.Names;
import java.util.Map;
import java.util.Optional;

/**
 * What a user runs, and what a user of the store is made for: the top owner of a pod, as far as the pod itself tells. Two workloads of one name in a namespace, say a
 * Deployment and a Job, are one: they share the Secret and the user.
 *
 * @param namespace of the pods
 * @param name of the Deployment, StatefulSet, DaemonSet, Job or other controller, or of the pod itself
 */
public record Workload(String namespace, String name) {
  /** Beginning of the names of all users and roles that are made for workloads. */
  public static final String USER_PREFIX = "agent:";

  private static final String SECRET_PREFIX = "kvorum-agent-";
  private static final String TEMPLATE_HASH = "pod-template-hash";
  private static final int SECRET_NAME = 253;

  /**
   * The workload of a pod, the same before the API server has given the pod its name and after. The namespace is the given one, since a pod under admission may carry
   * none.
   */
  public static Workload of(Pod pod, String namespace) {
    ObjectMeta about = pod.getMetadata();
    Optional<OwnerReference> controller = about.getOwnerReferences().stream().filter(owner -> Boolean.TRUE.equals(owner.getController())).findFirst();
    return new Workload(namespace, controller.map(owner -> top(owner, about)).orElseGet(() -> own(about)));
  }

  /** The workload of a pod that the API server has. */
  public static Workload of(Pod pod) {
    return of(pod, pod.getMetadata().getNamespace());
  }

  /** A Deployment names its ReplicaSets by the hash that their pods carry as a label. */
  private static String top(OwnerReference controller, ObjectMeta pod) {
    Map<String, String> labels = pod.getLabels() == null ? Map.of() : pod.getLabels();
    String end = "-" + labels.getOrDefault(TEMPLATE_HASH, "");
    String name = controller.getName();
    boolean ofDeployment = controller.getKind().equals("ReplicaSet") && end.length() > 1 && name.endsWith(end) && name.length() > end.length();
    return ofDeployment ? name.substring(0, name.length() - end.length()) : name;
  }

  /** A pod of nobody's; one with a generated name goes by what its name begins with, which is all that is known of it under admission. */
  private static String own(ObjectMeta pod) {
    String generate = pod.getGenerateName();
    if (generate == null || generate.isEmpty()) {
      return pod.getName();
    }
    return generate.replaceAll("[-.]+$", "");
  }

  /** The workload whose user this is; empty for any other user. */
  public static Optional<Workload> ofUser(String user) {
    if (!user.startsWith(USER_PREFIX)) {
      return Optional.empty();
    }
    String[] parts = user.substring(USER_PREFIX.length()).split(":", -1);
    return parts.length == 2 && !parts[0].isEmpty() && !parts[1].isEmpty() ? Optional.of(new Workload(parts[0], parts[1])) : Optional.empty();
  }

  /** Its user, and the role that is this user's alone: {@code agent:NAMESPACE:NAME}. */
  public String user() {
    return USER_PREFIX + namespace + ":" + name;
  }

  /** The Secret in its namespace with what its agents show to the cluster; a name that is too long is cut and ends with a hash of the whole. */
  public String secret() {
    return Names.shortened(SECRET_PREFIX + name, SECRET_NAME);
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
