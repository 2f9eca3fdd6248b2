package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * What is to be done: exactly one of the nine.
 *
 * @param clusterRef name of the KvorumCluster in the same namespace
 * @param ttlSecondsAfterFinished the object is deleted this long after it finished
 * @param deadlineSeconds it fails when it takes longer
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(value = "self == oldSelf", message = "an operation cannot be changed")
@ValidationRule(
    value = "[has(self.transferLeader), has(self.restart), has(self.replaceMember), has(self.defragment), has(self.compact),"
        + " has(self.rotateCertificates), has(self.recoverQuorum), has(self.restoreInPlace), has(self.verifyBackup)].filter(x, x).size() == 1",
    message = "an operation is exactly one of the nine")
public record KvorumOperationSpec(
    @Required @Size(max = 40) String clusterRef,
    @Default("86400") @Min(0) Integer ttlSecondsAfterFinished,
    @Default("3600") @Min(1) Integer deadlineSeconds,
    TransferLeader transferLeader,
    Restart restart,
    ReplaceMember replaceMember,
    Defragment defragment,
    Compact compact,
    RotateCertificates rotateCertificates,
    RecoverQuorum recoverQuorum,
    RestoreInPlace restoreInPlace,
    VerifyBackup verifyBackup) {
  public KvorumOperationSpec {
    ttlSecondsAfterFinished = ttlSecondsAfterFinished == null ? 86400 : ttlSecondsAfterFinished;
    deadlineSeconds = deadlineSeconds == null ? 3600 : deadlineSeconds;
  }

  /** @param to name of the member that shall lead, absent for the operator's choice */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record TransferLeader(@Size(max = 63) String to) {}

  /** @param members names, empty for all */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Restart(@Size(max = 16) List<@Size(max = 63) String> members, @Size(max = 256) String reason) {
    public Restart {
      members = members == null ? List.of() : List.copyOf(members);
      reason = Api.orEmpty(reason);
    }
  }

  /** @param keepVolume the old volume is kept, labelled with the old member id; it is never used again by the cluster */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record ReplaceMember(@Required @Size(max = 63) String member, @Default("false") Boolean keepVolume) {
    public ReplaceMember {
      keepVolume = keepVolume != null && keepVolume;
    }
  }

  /** @param members names, empty for all */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Defragment(@Size(max = 16) List<@Size(max = 63) String> members) {
    public Defragment {
      members = members == null ? List.of() : List.copyOf(members);
    }
  }

  /** @param revision absent for the newest */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Compact(@Min(1) Long revision) {}

  /** @param kind what is renewed */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record RotateCertificates(@Required Kind kind) {
    /** What is renewed. */
    public enum Kind {
      @JsonProperty("Leaf")
      LEAF,
      @JsonProperty("CertificateAuthority")
      CERTIFICATE_AUTHORITY
    }
  }

  /**
   * Goes on with one member after a majority was lost for good.
   *
   * @param survivor name of the member to go on with, absent for the one that has most
   * @param minRevision refuse when the survivor has less
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "self.acknowledgeDataLoss", message = "set acknowledgeDataLoss: writes that the survivor does not have are lost")
  public record RecoverQuorum(@Size(max = 63) String survivor, @Min(1) Long minRevision, @Required Boolean acknowledgeDataLoss) {
    public RecoverQuorum {
      survivor = Api.orEmpty(survivor);
    }
  }

  /** Puts the cluster back to a backup. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "self.acknowledgeDataLoss", message = "set acknowledgeDataLoss: writes after the backup are lost")
  public record RestoreInPlace(@Required @Size(max = 253) String backupRef, @Min(1) Long revision, @Required Boolean acknowledgeDataLoss) {}

  /** Restores a backup in a place of its own and compares. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record VerifyBackup(@Required @Size(max = 253) String backupRef) {}
}
