package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.model.annotation.LabelSelector;
import io.fabric8.kubernetes.model.annotation.StatusReplicas;
import java.util.List;
import java.util.Optional;

/**
 * How a cluster is doing. Phase and summary are for people, automation reads the conditions.
 *
 * @param observedGeneration generation of the specification that the last pass worked from
 * @param summary voters that are healthy of those wanted, and learners, e.g. "3/3+1L"
 * @param replicas voters that the cluster has
 * @param selector label selector of the members' pods
 * @param clusterID identity of the data, hexadecimal; latched once, changed by a quorum recovery alone
 * @param nextMemberOrdinal ordinals below it were given out and are never used again
 * @param targetHash hash of the pod template that the specification asks for
 * @param survivors what each member still has, only while quorum is lost
 * @param memory what the operator must not forget over a restart of its own
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record KvorumClusterStatus(
    Long observedGeneration,
    Phase phase,
    @Size(max = 64) String summary,
    @StatusReplicas Integer replicas,
    @LabelSelector @Size(max = 512) String selector,
    @Size(max = 16) String clusterID,
    Leader leader,
    Version version,
    Quorum quorum,
    @Size(max = 32) List<Member> members,
    CurrentAction currentAction,
    Integer nextMemberOrdinal,
    @Size(max = 128) String targetHash,
    Storage storage,
    Backup backup,
    @Size(max = 32) List<Certificate> certificates,
    @Size(max = 32) List<Survivor> survivors,
    @Size(max = 32) List<Condition> conditions,
    Memory memory) {
  /** Of a cluster that was never looked at. */
  public static final KvorumClusterStatus EMPTY =
      new KvorumClusterStatus(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

  public KvorumClusterStatus {
    phase = phase == null ? Phase.PENDING : phase;
    summary = Api.orEmpty(summary);
    replicas = replicas == null ? 0 : replicas;
    selector = Api.orEmpty(selector);
    clusterID = Api.orEmpty(clusterID);
    members = members == null ? List.of() : List.copyOf(members);
    nextMemberOrdinal = nextMemberOrdinal == null ? 0 : nextMemberOrdinal;
    targetHash = Api.orEmpty(targetHash);
    certificates = certificates == null ? List.of() : List.copyOf(certificates);
    survivors = survivors == null ? List.of() : List.copyOf(survivors);
    conditions = conditions == null ? List.of() : List.copyOf(conditions);
    memory = memory == null ? Memory.EMPTY : memory;
  }

  /** The condition of this type. */
  public Optional<Condition> condition(String type) {
    return conditions.stream().filter(condition -> condition.type().equals(type)).findFirst();
  }

  /** Where the cluster is in its life, in one word. */
  public enum Phase {
    @JsonProperty("Pending")
    PENDING,
    @JsonProperty("Bootstrapping")
    BOOTSTRAPPING,
    @JsonProperty("Restoring")
    RESTORING,
    @JsonProperty("Running")
    RUNNING,
    @JsonProperty("Updating")
    UPDATING,
    @JsonProperty("Scaling")
    SCALING,
    @JsonProperty("Degraded")
    DEGRADED,
    @JsonProperty("QuorumLost")
    QUORUM_LOST,
    @JsonProperty("Hibernated")
    HIBERNATED,
    @JsonProperty("Paused")
    PAUSED,
    @JsonProperty("Deleting")
    DELETING,
    @JsonProperty("Failed")
    FAILED
  }

  /** @param since when it was first seen to lead */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Leader(@Size(max = Api.NAME) String name, @Size(max = 16) String memberID, Long term, @Size(max = 64) String since) {}

  /** The version that all members agreed to, and the one that is wanted. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Version(@Size(max = 64) String cluster, @Size(max = 64) String target) {}

  /** @param faultTolerance healthy voters that may fail now without losing quorum */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Quorum(Integer voters, Integer healthyVoters, Integer learners, Integer required, Integer faultTolerance) {}

  /** One member at a glance. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Member(
      @Required @Size(max = Api.NAME) String name, @Size(max = 16) String memberID, KvorumMemberStatus.Role role, KvorumMemberStatus.Phase phase, Boolean ready,
      @Size(max = 64) String version, @Size(max = 128) String revisionHash, Long lagEntries, Long databaseBytes, Long inUseBytes,
      @Size(max = 63) String zone, @Size(max = Api.NAME) String node) {}

  /** Sizes are of the largest member, such as "312Mi". */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Storage(
      @Size(max = 32) String databaseSize, @Size(max = 32) String inUse, Integer quotaUsedPercent,
      @Size(max = 32) List<@Size(max = Api.NAME) String> pendingResize) {
    public Storage {
      pendingResize = pendingResize == null ? List.of() : List.copyOf(pendingResize);
    }
  }

  /**
   * What could be restored.
   *
   * @param firstRecoverableTime from here on any moment can be restored that a chain of deltas covers
   * @param lastRevision that a backup ends with
   * @param deltaLagSeconds since the last backup, while deltas are taken by themselves; whole minutes
   * @param lastVerifiedBackup name of the newest backup that was proven
   * @param lastVerifiedRevision that it ends with
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Backup(
      @Size(max = 64) String lastSuccessfulTime, @Size(max = 64) String lastVerifiedTime, @Size(max = 64) String firstRecoverableTime, Long lastRevision,
      Long deltaLagSeconds, @Size(max = Api.NAME) String lastVerifiedBackup, Long lastVerifiedRevision) {}

  /** A certificate's end. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Certificate(@Size(max = Api.NAME) String name, @Size(max = 64) String notAfter) {}

  /** What a member still has. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Survivor(@Size(max = Api.NAME) String name, Long lastIndex, Long term, Long revision, @Size(max = 64) String volume) {}

  /**
   * What the operator must not forget over a restart of its own.
   *
   * @param lastDisruption when the last disruptive action ended well
   * @param quorumLostSince when quorum was first missed
   * @param leaderMoveSince since when the leader is in a place where it should not be
   * @param lastDefragmentation moment of the schedule that was last served
   * @param lastCompaction moment of the schedule that was last served
   * @param clusterToken token of the cluster after a quorum recovery, empty before the first
   * @param blocked guard that held the last plan back
   * @param recovered name of the operation whose recovery formed the present cluster
   * @param retryAfter after a failed procedure none but healing begins before this
   * @param failures procedures that failed since one succeeded
   * @param hibernated the members were stopped on the user's wish and did not lead again since
   * @param paused the user was told that the cluster is paused
   * @param lastComparison when the members' data was last compared
   * @param hashMismatch what the last comparison found to differ, empty for nothing
   * @param rootSecret secret with root's password while the specification's authentication is in force, so that it can be switched off
   * @param finalBackup name of the backup that is taken before the members stop for good or for a long time
   * @param finalBackupVerified it is proven, so that they may
   * @param revisionFloor revision that the present data began with after it came from a backup; 0 for data that never did
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Memory(
      @Size(max = 64) String lastDisruption, @Size(max = 64) String quorumLostSince, @Size(max = 64) String leaderMoveSince,
      @Size(max = 64) String lastDefragmentation, @Size(max = 64) String lastCompaction, @Size(max = 128) String clusterToken,
      @Size(max = 256) String blocked, @Size(max = Api.NAME) String recovered, @Size(max = 64) String retryAfter, Integer failures, Boolean hibernated,
      Boolean paused, @Size(max = 64) String lastComparison, @Size(max = Api.MESSAGE) String hashMismatch, @Size(max = 253) String rootSecret,
      @Size(max = Api.NAME) String finalBackup, Boolean finalBackupVerified, Long revisionFloor) {
    /** Nothing to remember. */
    public static final Memory EMPTY = new Memory(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

    public Memory {
      lastDisruption = Api.orEmpty(lastDisruption);
      quorumLostSince = Api.orEmpty(quorumLostSince);
      leaderMoveSince = Api.orEmpty(leaderMoveSince);
      lastDefragmentation = Api.orEmpty(lastDefragmentation);
      lastCompaction = Api.orEmpty(lastCompaction);
      clusterToken = Api.orEmpty(clusterToken);
      blocked = Api.orEmpty(blocked);
      recovered = Api.orEmpty(recovered);
      retryAfter = Api.orEmpty(retryAfter);
      failures = failures == null ? 0 : failures;
      hibernated = hibernated != null && hibernated;
      paused = paused != null && paused;
      lastComparison = Api.orEmpty(lastComparison);
      hashMismatch = Api.orEmpty(hashMismatch);
      rootSecret = Api.orEmpty(rootSecret);
      finalBackup = Api.orEmpty(finalBackup);
      finalBackupVerified = finalBackupVerified != null && finalBackupVerified;
      revisionFloor = revisionFloor == null ? 0 : revisionFloor;
    }
  }
}
