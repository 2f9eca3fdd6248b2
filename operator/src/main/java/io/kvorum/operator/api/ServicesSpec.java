package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import java.util.Map;

/**
 * The Services of the cluster.
 *
 * @param client the one that clients use
 * @param external a second one for clients outside, absent for none
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ServicesSpec(ServiceSpec client, ServiceSpec external) {
  /** One inside the Kubernetes cluster. */
  public static final ServicesSpec DEFAULTS = new ServicesSpec(null, null);

  public ServicesSpec {
    client = client == null ? new ServiceSpec(null, null, null) : client;
  }

  /** One Service. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record ServiceSpec(
      @Default("ClusterIP") Type type, @Size(max = 64) Map<String, @Size(max = 4096) String> annotations,
      @Size(max = 64) Map<String, @Size(max = 63) String> labels) {
    public ServiceSpec {
      type = type == null ? Type.CLUSTER_IP : type;
      annotations = annotations == null ? Map.of() : Map.copyOf(annotations);
      labels = labels == null ? Map.of() : Map.copyOf(labels);
    }
  }

  /** Kinds of a Service. */
  public enum Type {
    @JsonProperty("ClusterIP")
    CLUSTER_IP,
    @JsonProperty("NodePort")
    NODE_PORT,
    @JsonProperty("LoadBalancer")
    LOAD_BALANCER
  }
}
