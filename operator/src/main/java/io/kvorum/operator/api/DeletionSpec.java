package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;

/**
 * What happens before everything goes.
 *
 * @param finalBackup a verified backup is taken first
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record DeletionSpec(@Default("false") Boolean finalBackup) {
  public DeletionSpec {
    finalBackup = finalBackup != null && finalBackup;
  }
}
