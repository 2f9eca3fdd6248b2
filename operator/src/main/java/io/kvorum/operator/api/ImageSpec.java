package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/**
 * Where the members' image comes from; its tag is the version.
 *
 * @param repository empty for the operator's default
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ImageSpec(@Size(max = 512) String repository, PullPolicy pullPolicy, @Size(max = 16) List<@Size(max = 253) String> pullSecrets) {
  /** The operator's default image. */
  public static final ImageSpec DEFAULTS = new ImageSpec("", null, List.of());

  public ImageSpec {
    repository = Api.orEmpty(repository);
    pullPolicy = pullPolicy == null ? PullPolicy.IF_NOT_PRESENT : pullPolicy;
    pullSecrets = pullSecrets == null ? List.of() : List.copyOf(pullSecrets);
  }

  /** When the image is pulled. */
  public enum PullPolicy {
    @JsonProperty("Always")
    ALWAYS,
    @JsonProperty("IfNotPresent")
    IF_NOT_PRESENT,
    @JsonProperty("Never")
    NEVER
  }
}
