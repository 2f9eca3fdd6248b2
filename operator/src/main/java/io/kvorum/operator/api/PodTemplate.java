package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import java.util.List;
import java.util.Map;

/** What users may set of the members' pods. A whole pod template would make the definition too large to apply from a client. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record PodTemplate(
    @Size(max = 64) Map<String, @Size(max = 63) String> labels,
    @Size(max = 64) Map<String, @Size(max = 4096) String> annotations,
    Affinity affinity,
    @Size(max = 64) Map<String, @Size(max = 63) String> nodeSelector,
    @Size(max = 64) List<Toleration> tolerations,
    @Size(max = 16) List<TopologySpreadConstraint> topologySpreadConstraints,
    @Size(max = 253) String priorityClassName,
    PodSecurityContext securityContext,
    @Min(1) Long terminationGracePeriodSeconds,
    @Size(max = 64) List<EnvVar> extraEnv) {
  /** Nothing is set. */
  public static final PodTemplate NONE = new PodTemplate(null, null, null, null, null, null, null, null, null, null);

  public PodTemplate {
    labels = labels == null ? Map.of() : Map.copyOf(labels);
    annotations = annotations == null ? Map.of() : Map.copyOf(annotations);
    nodeSelector = nodeSelector == null ? Map.of() : Map.copyOf(nodeSelector);
    tolerations = tolerations == null ? List.of() : List.copyOf(tolerations);
    topologySpreadConstraints = topologySpreadConstraints == null ? List.of() : List.copyOf(topologySpreadConstraints);
    priorityClassName = Api.orEmpty(priorityClassName);
    extraEnv = extraEnv == null ? List.of() : List.copyOf(extraEnv);
  }
}
