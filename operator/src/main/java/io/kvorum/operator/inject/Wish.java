package io.kvorum.operator.inject;

import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.kvorum.operator.workload.Declaration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a pod asks for by its label and annotations.
 *
 * @param declaration which cluster, which prefixes, which service
 * @param mirror prefixes that the agent keeps a copy of
 * @param port of the agent on loopback
 * @param resources of the agent's container
 * @param dnsPort where registered services answer to DNS on loopback; absent for nowhere
 * @param registration present when the pod is to be found by others
 */
public record Wish(
    Declaration declaration, List<String> mirror, int port, ResourceRequirements resources, boolean staleReads, OptionalInt dnsPort,
    Optional<Registration> registration) {

  /**
   * How the pod is registered.
   *
   * @param port number or name of a container port, empty for the only one
   * @param metadata of the entry, in the order of the annotation
   * @param readiness URL in place of the container's readinessProbe, empty for the probe
   * @param drainSeconds between the entry's end and the application's SIGTERM; absent for the default
   */
  public record Registration(String port, Map<String, String> metadata, String readiness, OptionalInt drainSeconds) {}
}
