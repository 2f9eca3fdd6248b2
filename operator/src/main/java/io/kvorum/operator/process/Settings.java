package io.kvorum.operator.process;

import io.kvorum.operator.desired.Defaults;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How this operator was installed.
 *
 * @param namespaces namespaces to watch, empty for all
 * @param instance name of this pod
 * @param leaseNamespace where the lease is, empty to go without a lease (outside of Kubernetes)
 * @param webhookService name of the Service that API servers find the webhook by, empty to go without a webhook; its objects are named after it
 */
public record Settings(Set<String> namespaces, Defaults defaults, String instance, String leaseNamespace, String webhookService) {

  /**
   * From the environment: KVORUM_NAMESPACES (by commas), KVORUM_IMAGE_REPOSITORY, KVORUM_CLUSTER_DOMAIN, KVORUM_WEBHOOK_SERVICE, POD_NAME,
   * POD_NAMESPACE.
   */
  public static Settings of(Map<String, String> environment) {
    Set<String> namespaces =
        Arrays.stream(environment.getOrDefault("KVORUM_NAMESPACES", "").split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .collect(Collectors.toUnmodifiableSet());
    Defaults defaults =
        new Defaults(environment.getOrDefault("KVORUM_IMAGE_REPOSITORY", "kvorum/kvorum"), environment.getOrDefault("KVORUM_CLUSTER_DOMAIN", "cluster.local"));
    return new Settings(
        namespaces, defaults, environment.getOrDefault("POD_NAME", "kvorum-operator"), environment.getOrDefault("POD_NAMESPACE", ""),
        environment.getOrDefault("KVORUM_WEBHOOK_SERVICE", ""));
  }
}
