package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;

/**
 * The members' volumes.
 *
 * @param size of each volume; it only grows
 * @param storageClassName the cluster's default class when absent; cannot be changed
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = "has(self.storageClassName) == has(oldSelf.storageClassName)"
        + " && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",
    message = "storageClassName cannot be changed")
public record StorageSpec(
    @Required
        @ValidationRule(value = "quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0", message = "volumes only grow")
        @ValidationRule(value = "quantity(string(self)).compareTo(quantity('64Mi')) >= 0", message = "a volume has at least 64Mi")
        Quantity size,
    @Size(max = 253) String storageClassName,
    Retention retention) {

  public StorageSpec {
    retention = retention == null ? Retention.DEFAULTS : retention;
  }

  /** Size in bytes. */
  public long bytes() {
    return size.getNumericalAmount().longValue();
  }

  /**
   * What happens to volumes.
   *
   * @param whenDeleted with the cluster
   * @param whenRemoved with a member
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Retention(@Default("Retain") Policy whenDeleted, @Default("Delete") Policy whenRemoved) {
    static final Retention DEFAULTS = new Retention(null, null);

    public Retention {
      whenDeleted = whenDeleted == null ? Policy.RETAIN : whenDeleted;
      whenRemoved = whenRemoved == null ? Policy.DELETE : whenRemoved;
    }
  }

  /** Whether a volume outlives its owner. */
  public enum Policy {
    @JsonProperty("Retain")
    RETAIN,
    @JsonProperty("Delete")
    DELETE
  }
}
