package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;

/**
 * Users and roles.
 *
 * @param rootCredentialsSecretRef secret with the key password; made by the operator when absent
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AuthSpec(@Default("false") Boolean enabled, @Size(max = 253) String rootCredentialsSecretRef) {
  public AuthSpec {
    enabled = enabled != null && enabled;
  }
}
