package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Size;

/**
 * How far an operation has come. Succeeded, Failed and Rejected are final.
 *
 * @param type which of the union it is, e.g. "TransferLeader"
 * @param finishedAt from here its time to live runs
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record KvorumOperationStatus(
    Phase phase, @Size(max = 64) String type, @Size(max = 64) String step, @Size(max = 64) String startedAt, @Size(max = 64) String finishedAt,
    @Size(max = Api.MESSAGE) String message) {
  /** Of an operation that nobody has looked at. */
  public static final KvorumOperationStatus EMPTY = new KvorumOperationStatus(null, null, null, null, null, null);

  public KvorumOperationStatus {
    phase = phase == null ? Phase.PENDING : phase;
    type = Api.orEmpty(type);
    step = Api.orEmpty(step);
    startedAt = Api.orEmpty(startedAt);
    finishedAt = Api.orEmpty(finishedAt);
    message = Api.orEmpty(message);
  }

  /** Where it is in its life. */
  public enum Phase {
    @JsonProperty("Pending")
    PENDING,
    @JsonProperty("Running")
    RUNNING,
    @JsonProperty("Succeeded")
    SUCCEEDED,
    @JsonProperty("Failed")
    FAILED,
    /** A precondition did not hold and nothing was touched. */
    @JsonProperty("Rejected")
    REJECTED;

    /** Nothing follows. */
    public boolean isFinal() {
      return this == SUCCEEDED || this == FAILED || this == REJECTED;
    }
  }
}
