package io.kvorum.operator.event;

import java.util.Locale;

/** All reasons of Events that the operator sends; names are what {@code kubectl describe} shows. Warnings ask for a look, the others tell of progress. */
public enum EventReason {
  CLUSTER_BOOTSTRAPPED(false),
  MEMBER_CREATED(false),
  MEMBER_ADDED(false),
  MEMBER_PROMOTED(false),
  MEMBER_REMOVED(false),
  MEMBER_ADD_ABANDONED(true),
  MEMBER_UNHEALTHY(true),
  MEMBER_RECOVERED(false),
  POD_RECREATED(false),
  MEMBER_REPLACING(true),
  RESTARTING(false),
  RESTARTED(false),
  DOWNTIME(true),
  LEADER_TRANSFER_REQUESTED(false),
  LEADER_TRANSFERRED(false),
  LEADER_TRANSFER_FAILED(true),
  CONFIG_RELOADED(false),
  ROLLOUT_STARTED(false),
  ROLLOUT_COMPLETED(false),
  DEADLINE_EXCEEDED(true),
  BLOCKED(false),
  SPEC_REJECTED(true),
  SPEC_ACCEPTED(false),
  IDENTITY_BROKEN(true),
  QUORUM_LOST(true),
  QUORUM_RESTORED(false),
  QUORUM_RECOVERY(true),
  CORRUPT_MEMBER(true),
  QUOTA_EXCEEDED(true),
  QUOTA_RELIEVED(false),
  DEFRAGMENTED(false),
  DEFRAGMENTATION_FAILED(true),
  COMPACTED(false),
  VOLUME_GROWING(false),
  AUTH_ENABLED(false),
  AUTH_DISABLED(false),
  HASH_MISMATCH(true),
  HASHES_AGREE(false),
  CERTIFICATES_ROTATING(false),
  CERTIFICATES_ROTATED(false),
  HIBERNATED(false),
  WOKEN(false),
  PAUSED(false),
  RESUMED(false),
  DELETING(false),
  BACKUP_STARTED(false),
  BACKUP_COMPLETED(false),
  BACKUP_VERIFIED(false),
  BACKUP_RETRIED(true),
  BACKUP_FAILED(true),
  BACKUP_DELTA_GAP(true),
  BACKUP_VERIFICATION_FAILED(true),
  BACKUP_DELETED(false),
  BACKUP_ARTEFACT_KEPT(true),
  BACKUP_RUN_MISSED(true),
  BACKUP_WANTED(false),
  RESTORING(true),
  RESTORED(false),
  WORKLOAD_REFUSED(true),
  WORKLOAD_ADMITTED(false),
  WORKLOAD_REVOKED(false),
  INJECTION_MISSING(true),
  OPERATION_STARTED(false),
  OPERATION_FINISHED(false),
  OPERATION_FAILED(true),
  OPERATION_REJECTED(true);

  private final boolean warning;

  EventReason(boolean warning) {
    this.warning = warning;
  }

  /** Whether somebody should look. */
  public boolean warning() {
    return warning;
  }

  /** The reason as Events carry it, e.g. {@code MemberPromoted}. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (String word : name().split("_")) {
      text.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return text.toString();
  }
}
