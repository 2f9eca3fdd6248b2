package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * A member's identity, never changed.
 *
 * @param memberName {@code <cluster>-<ordinal>}, never used again after the member's end
 * @param clusterToken keeps volumes of clusters of the same name apart
 * @param peerURL where the others reach it
 * @param initialPeers members to start with, as {@code name=url}; written once, when the cluster has accepted this member
 * @param joinMode how it first comes into being
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = "self.clusterName == oldSelf.clusterName && self.memberName == oldSelf.memberName && self.ordinal == oldSelf.ordinal"
        + " && self.clusterToken == oldSelf.clusterToken && self.joinMode == oldSelf.joinMode && self.peerURL == oldSelf.peerURL && self.volumeClaimName == oldSelf.volumeClaimName"
        + " && (!has(oldSelf.initialPeers) || size(oldSelf.initialPeers) == 0 || (has(self.initialPeers) && self.initialPeers == oldSelf.initialPeers))",
    message = "a member's identity cannot be changed")
public record KvorumMemberSpec(
    @Required @Size(max = 40) String clusterName,
    @Required @Size(max = 63) String memberName,
    @Required @Min(0) Integer ordinal,
    @Required @Size(max = 128) String clusterToken,
    @Required @Size(max = 512) String peerURL,
    @Size(max = 32) List<@Size(max = 512) String> initialPeers,
    @Required JoinMode joinMode,
    @Required @Size(max = Api.NAME) String volumeClaimName) {
  public KvorumMemberSpec {
    initialPeers = initialPeers == null ? List.of() : List.copyOf(initialPeers);
  }

  /** How a member first comes into being. */
  public enum JoinMode {
    /** Forms a cluster of one on an empty volume. */
    @JsonProperty("Seed")
    SEED,
    /** Joins a cluster that has accepted it. */
    @JsonProperty("Join")
    JOIN,
    /** Forms a cluster of one from a backup. */
    @JsonProperty("RestoreSeed")
    RESTORE_SEED
  }
}
