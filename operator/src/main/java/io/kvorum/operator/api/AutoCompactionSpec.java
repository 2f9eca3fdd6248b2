package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;

/**
 * The server's own compaction.
 *
 * @param retention revisions, or a duration such as {@code 1h}
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AutoCompactionSpec(@Default("Periodic") Mode mode, @Default("1h") @Size(max = 32) String retention) {
  public AutoCompactionSpec {
    mode = mode == null ? Mode.PERIODIC : mode;
    retention = retention == null ? "1h" : retention;
  }

  /** What the retention counts. */
  public enum Mode {
    @JsonProperty("Periodic")
    PERIODIC,
    @JsonProperty("Revision")
    REVISION
  }
}
