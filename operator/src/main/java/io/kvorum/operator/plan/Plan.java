package io.kvorum.operator.plan;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.event.PlannedEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one pass decided. Whoever carries it out writes first and acts then, in this order: the cluster's status and the members' statuses that
 * {@code status.StatusWriter} makes of the observation and this plan, {@link #operations}, {@link #events}, and last the {@link #action}; then,
 * when there
 * is a {@link #currentAction}, its outcome by {@code StatusWriter.outcome}. When a write fails the pass ends there. An action that fails is not
 * repeated
 * within the pass: the next observation shows what came of it. An outcome that was never written (a crash) makes the planner issue the action again.
 *
 * @param rung which rung of the ladder decided
 * @param action the one thing to do, empty to wait
 * @param currentAction the procedure that is under way after this plan, empty for none
 * @param progress what the cluster is doing, for the condition Progressing
 * @param clusterId identity to be latched, 0 before the first
 * @param nextOrdinal first ordinal that was never given out
 * @param memory what must survive a restart of the operator
 * @param members statuses of all member objects as they are now, by member name, without conditions
 * @param operations statuses of operations to write, by name, only those that change
 * @param events what the user is told, in order
 * @param requeueAfter when the next pass is due at the latest
 */
public record Plan(
    String rung, Optional<Action> action, Optional<CurrentAction> currentAction, Progress progress, long clusterId, int nextOrdinal, Memory memory,
    Map<String, KvorumMemberStatus> members, Map<String, KvorumOperationStatus> operations, List<PlannedEvent> events, Duration requeueAfter) {

  public Plan {
    members = Map.copyOf(members);
    operations = Map.copyOf(operations);
    events = List.copyOf(events);
  }

  /**
   * What the cluster is doing.
   *
   * @param guard the guard that holds it back, e.g. "G6", empty when nothing does
   * @param message for people
   */
  public record Progress(Reason reason, String guard, String message) {}

  /** Reasons of the condition Progressing. */
  public enum Reason {
    STABLE,
    BOOTSTRAPPING,
    SCALING_UP,
    SCALING_DOWN,
    ROLLING_UPDATE,
    REPLACING,
    RECREATING,
    RESIZING_VOLUMES,
    TRANSFERRING_LEADER,
    DEFRAGMENTING,
    RELIEVING_QUOTA,
    RECOVERING_QUORUM,
    RESTORING,
    BACKING_UP,
    HIBERNATING,
    WAKING,
    ROTATING_CERTIFICATES,
    CONFIGURING,
    OPERATING,
    DELETING,
    PAUSED,
    FROZEN,
    BLOCKED,
    WAITING_FOR_USER,
    DEADLINE_EXCEEDED
  }
}
