package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/**
 * How far a member's life has come.
 *
 * @param templateHash of its pod
 * @param attempts pods deleted to heal it since it was last healthy
 * @param lastTransition when {@link #phase} last changed
 * @param lagEntries log entries behind the leader
 * @param unhealthySince when it was first seen unhealthy, empty while it is healthy
 * @param caughtUp successive observations in which it lagged little
 * @param restartReasons why it should be restarted
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record KvorumMemberStatus(
    @Size(max = 16) String memberID,
    Role role,
    Phase phase,
    @Size(max = Api.NAME) String podName,
    @Size(max = 64) String podUID,
    @Size(max = Api.NAME) String nodeName,
    @Size(max = 63) String zone,
    @Size(max = 128) String templateHash,
    @Size(max = 64) String version,
    Integer attempts,
    @Size(max = 64) String lastTransition,
    Long lagEntries,
    @Size(max = 64) String unhealthySince,
    Integer caughtUp,
    @Size(max = 16) List<@Size(max = 64) String> restartReasons,
    @Size(max = 8) List<Condition> conditions) {
  /** Of a member that was just made. */
  public static final KvorumMemberStatus EMPTY =
      new KvorumMemberStatus(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

  public KvorumMemberStatus {
    memberID = Api.orEmpty(memberID);
    phase = phase == null ? Phase.PENDING : phase;
    podName = Api.orEmpty(podName);
    podUID = Api.orEmpty(podUID);
    nodeName = Api.orEmpty(nodeName);
    zone = Api.orEmpty(zone);
    templateHash = Api.orEmpty(templateHash);
    version = Api.orEmpty(version);
    attempts = attempts == null ? 0 : attempts;
    lastTransition = Api.orEmpty(lastTransition);
    unhealthySince = Api.orEmpty(unhealthySince);
    caughtUp = caughtUp == null ? 0 : caughtUp;
    restartReasons = restartReasons == null ? List.of() : List.copyOf(restartReasons);
    conditions = conditions == null ? List.of() : List.copyOf(conditions);
  }

  /** What it does in the cluster; absent before the cluster has accepted it. */
  public enum Role {
    @JsonProperty("Learner")
    LEARNER,
    @JsonProperty("Voter")
    VOTER,
    @JsonProperty("Leader")
    LEADER
  }

  /** Where it is in its life. */
  public enum Phase {
    @JsonProperty("Pending")
    PENDING,
    @JsonProperty("Registered")
    REGISTERED,
    @JsonProperty("Starting")
    STARTING,
    @JsonProperty("CatchingUp")
    CATCHING_UP,
    @JsonProperty("Voting")
    VOTING,
    @JsonProperty("Draining")
    DRAINING,
    @JsonProperty("Removing")
    REMOVING,
    @JsonProperty("Recreating")
    RECREATING,
    @JsonProperty("Replacing")
    REPLACING,
    @JsonProperty("Failed")
    FAILED
  }
}
