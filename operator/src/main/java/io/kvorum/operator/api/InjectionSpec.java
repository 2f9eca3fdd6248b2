package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * Which pods may ask for an agent of this cluster, by the label {@code kvorum.io/inject}, and what their users may be given. Pods of the cluster's own namespace
 * may declare any prefix, those of others only what is listed.
 *
 * @param enabled false gives agents to no more pods, and takes the users of all workloads away
 * @param namespaces other namespaces whose pods may ask
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = "!has(self.namespaces) || self.namespaces.all(one, self.namespaces.exists_one(other, other.name == one.name))",
    message = "a namespace is listed once")
public record InjectionSpec(@Default("true") Boolean enabled, @Size(max = 64) List<Allowed> namespaces) {
  /** Own namespace only. */
  public static final InjectionSpec DEFAULTS = new InjectionSpec(null, null);

  public InjectionSpec {
    enabled = enabled == null || enabled;
    namespaces = namespaces == null ? List.of() : List.copyOf(namespaces);
  }

  /**
   * Another namespace.
   *
   * @param prefixes a workload there may declare these, and longer ones that begin with one of them; with none it only finds services
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Allowed(
      @Required @Size(min = 1, max = 63) @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$") String name,
      @Size(max = 64) List<@Size(min = 1, max = 512) @Pattern("^[!-+\\--~]+$") String> prefixes) {
    public Allowed {
      name = Api.orEmpty(name);
      prefixes = prefixes == null ? List.of() : List.copyOf(prefixes);
    }
  }

  /** Pods of a namespace may ask for an agent of a cluster in another. */
  public boolean admits(String clusterNamespace, String podNamespace) {
    return enabled && (clusterNamespace.equals(podNamespace) || namespaces.stream().anyMatch(one -> one.name().equals(podNamespace)));
  }

  /** A pod's user may be given this prefix of keys. */
  public boolean allows(String clusterNamespace, String podNamespace, String prefix) {
    return enabled
        && !prefix.isEmpty()
        && (clusterNamespace.equals(podNamespace)
            || namespaces.stream().filter(one -> one.name().equals(podNamespace)).anyMatch(one -> one.prefixes().stream().anyMatch(prefix::startsWith)));
  }
}
