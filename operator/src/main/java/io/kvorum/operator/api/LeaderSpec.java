package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/**
 * Where the leader should be.
 *
 * @param preferredZones best first
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record LeaderSpec(@Size(max = 16) List<@Size(max = 63) String> preferredZones) {
  public LeaderSpec {
    preferredZones = preferredZones == null ? List.of() : List.copyOf(preferredZones);
  }
}
