package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import java.time.Duration;

/**
 * What the operator does about an unhealthy member.
 *
 * @param recreateAfter its pod is deleted after this
 * @param replaceAfter it is replaced after this, while quorum holds without it
 * @param maxAttempts pods deleted before that
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record HealingSpec(
    @Default("5m") @Size(max = 32) @Pattern(Api.DURATION) String recreateAfter,
    @Default("15m") @Size(max = 32) @Pattern(Api.DURATION) String replaceAfter,
    @Default("3") @Min(0) @Max(100) Integer maxAttempts) {
  /** After five and fifteen minutes, three attempts. */
  public static final HealingSpec DEFAULTS = new HealingSpec(null, null, null);

  public HealingSpec {
    recreateAfter = recreateAfter == null ? "5m" : recreateAfter;
    replaceAfter = replaceAfter == null ? "15m" : replaceAfter;
    maxAttempts = maxAttempts == null ? 3 : maxAttempts;
  }

  /** {@link #recreateAfter} as a duration. */
  public Duration untilRecreate() {
    return Api.duration(recreateAfter);
  }

  /** {@link #replaceAfter} as a duration. */
  public Duration untilReplace() {
    return Api.duration(replaceAfter);
  }
}
