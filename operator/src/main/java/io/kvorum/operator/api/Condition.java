package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/**
 * One fact about an object, for automation.
 *
 * @param reason one word
 * @param lastTransitionTime when {@link #status} last changed
 * @param observedGeneration generation of the object that it speaks of
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Condition(
    @Required @Size(max = 64) String type, @Required Status status, @Required @Size(max = 128) String reason, @Size(max = Api.MESSAGE) String message,
    @Size(max = 64) String lastTransitionTime, Long observedGeneration) {
  public Condition {
    message = Api.orEmpty(message);
    lastTransitionTime = Api.orEmpty(lastTransitionTime);
  }

  /** It holds, or it does not, or nobody knows. */
  public enum Status {
    @JsonProperty("True")
    TRUE,
    @JsonProperty("False")
    FALSE,
    @JsonProperty("Unknown")
    UNKNOWN
  }
}
