package io.kvorum.operator.plan;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.plan.Plan.Progress;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.guard.Guard;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The plan of one pass while it is being made. It lives and dies inside {@link Planner#plan}. */
public final class Draft {
  /** A pass is due this soon while something is under way. */
  public static final Duration PROMPT = Duration.ofSeconds(1);

  /** A pass is due this soon when nothing is. */
  public static final Duration IDLE = Duration.ofSeconds(15);

  private static final Duration LONGEST_BACKOFF = Duration.ofHours(1);

  private final Instant at;
  private final List<KvorumOperation> all;
  private final MemoryDraft memory;
  private final Map<String, KvorumMemberStatus> members = new HashMap<>();
  private final Map<String, KvorumOperationStatus> operations = new HashMap<>();
  private final List<PlannedEvent> events = new ArrayList<>();
  private Optional<Action> action = Optional.empty();
  private Optional<CurrentAction> current;
  private Progress progress = new Progress(Reason.STABLE, "", "");
  private String guard = "";
  private long clusterId;
  private int nextOrdinal;
  private Duration requeue = IDLE;

  Draft(Situation situation) {
    this.at = situation.at();
    this.all = situation.observation().operations();
    this.memory = new MemoryDraft(situation.status().memory());
    this.current = situation.currentAction();
    this.clusterId = situation.clusterId();
    this.nextOrdinal = Math.max(
        situation.status().nextMemberOrdinal(), situation.members().stream().mapToInt(member -> member.spec().ordinal() + 1).max().orElse(0));
  }

  /** The one action of this pass. A second one is a bug. */
  public void act(Action next) {
    if (action.isPresent()) {
      throw new IllegalStateException("two actions in one pass: " + action.get() + " and " + next);
    }
    action = Optional.of(next);
    requeue(PROMPT);
  }

  public boolean acts() {
    return action.isPresent();
  }

  /** What the pass is about; shown as Progressing. */
  public void progress(Reason reason, String message) {
    progress = new Progress(reason, "", message);
  }

  public Reason progress() {
    return progress.reason();
  }

  /** The pass wants something that a guard forbids. The first guard counts; whatever decides later overrides it. */
  public void blocked(Guard.Blocked by, String what) {
    guard = by.guard();
    progress = new Progress(Reason.BLOCKED, by.guard(), what + ": " + by.reason());
    requeue(PROMPT);
  }

  /** A pass no later than this. */
  public void requeue(Duration after) {
    if (after.compareTo(requeue) < 0) {
      requeue = after;
    }
  }

  public void event(EventReason reason, String member, String message) {
    events.add(new PlannedEvent(reason, member, message));
  }

  /** The procedure that is under way after this pass. */
  public Optional<CurrentAction> current() {
    return current;
  }

  /** Begins a procedure or goes on with it. */
  public void current(CurrentAction next) {
    current = Optional.of(next);
    requeue(PROMPT);
  }

  /** The procedure ended well. */
  public void succeeded() {
    current = Optional.empty();
    memory.lastDisruption = Api.time(at);
    memory.failures = 0;
    memory.retryAfter = "";
    requeue(PROMPT);
  }

  /** The procedure ended without touching anything that others must be spared from. */
  public void ended() {
    current = Optional.empty();
    requeue(PROMPT);
  }

  /**
   * The procedure was given up, and the operation that asked for it fails; the next one that is not healing waits: half a minute, doubled with each
   * failure in a row, at most an hour.
   */
  public void failed() {
    String asked = current.map(CurrentAction::operation).orElse("");
    all.stream().filter(operation -> operation.getMetadata().getName().equals(asked) && !operations.containsKey(asked))
        .forEach(operation -> operation(operation, KvorumOperationStatus.Phase.FAILED, "", "given up, see the Events"));
    current = Optional.empty();
    memory.lastDisruption = Api.time(at);
    Duration wait = Duration.ofSeconds(30).multipliedBy(1L << Math.min(memory.failures, 7));
    memory.retryAfter = Api.time(at.plus(wait.compareTo(LONGEST_BACKOFF) > 0 ? LONGEST_BACKOFF : wait));
    memory.failures = memory.failures + 1;
    requeue(PROMPT);
  }

  /** What must survive a restart of the operator. */
  public MemoryDraft memory() {
    return memory;
  }

  public void latch(long id) {
    clusterId = id;
  }

  /** Gives out an ordinal that was never used and never will be again. */
  public int ordinal() {
    return nextOrdinal++;
  }

  /** The member's status as this pass will write it. */
  public KvorumMemberStatus member(String name) {
    return members.getOrDefault(name, KvorumMemberStatus.EMPTY);
  }

  public void member(String name, KvorumMemberStatus status) {
    members.put(name, status);
  }

  /** Moves a member to a phase. */
  public void phase(String name, Phase phase) {
    KvorumMemberStatus status = members.get(name);
    if (status != null && status.phase() != phase) {
      members.put(name, Members.phase(status, phase, at));
    }
  }

  /** One more attempt to heal a member. */
  public void attempted(String name) {
    members.computeIfPresent(name, (key, status) -> Members.attempts(status, status.attempts() + 1));
  }

  /** An operation's new status. */
  public void operation(KvorumOperation operation, KvorumOperationStatus.Phase phase, String step, String message) {
    KvorumOperationStatus old = operation.getStatus() == null ? KvorumOperationStatus.EMPTY : operation.getStatus();
    String started = old.startedAt().isEmpty() ? Api.time(at) : old.startedAt();
    operations.put(operation.getMetadata().getName(), new KvorumOperationStatus(
        phase, Operation.type(operation.getSpec()), step, started, phase.isFinal() ? Api.time(at) : "", message));
    if (old.phase() != phase) {
      EventReason reason = switch (phase) {
        case PENDING, RUNNING -> EventReason.OPERATION_STARTED;
        case SUCCEEDED -> EventReason.OPERATION_FINISHED;
        case FAILED -> EventReason.OPERATION_FAILED;
        case REJECTED -> EventReason.OPERATION_REJECTED;
      };
      event(reason, "", operation.getMetadata().getName() + ": " + (message.isEmpty() ? Operation.type(operation.getSpec()) : message));
    }
    requeue(PROMPT);
  }

  Plan finish(String rung) {
    if (!guard.isEmpty() && progress.reason() == Reason.BLOCKED && !memory.blocked.equals(guard)) {
      event(EventReason.BLOCKED, "", guard + " " + progress.message());
    }
    memory.blocked = progress.reason() == Reason.BLOCKED ? guard : "";
    Memory remembered = memory.freeze();
    return new Plan(rung, action, current, progress, clusterId, nextOrdinal, remembered, members, operations, events, requeue);
  }

  /** {@link Memory} while it is being changed. */
  public static final class MemoryDraft {
    public String lastDisruption;
    public String quorumLostSince;
    public String leaderMoveSince;
    public String lastDefragmentation;
    public String lastCompaction;
    public String clusterToken;
    public String recovered;
    public boolean hibernated;
    public boolean paused;
    public String lastComparison;
    public String hashMismatch;
    public String rootSecret;
    public String finalBackup;
    public boolean finalBackupVerified;
    public long revisionFloor;
    private String blocked;
    private String retryAfter;
    private int failures;

    private MemoryDraft(Memory from) {
      lastDisruption = from.lastDisruption();
      quorumLostSince = from.quorumLostSince();
      leaderMoveSince = from.leaderMoveSince();
      lastDefragmentation = from.lastDefragmentation();
      lastCompaction = from.lastCompaction();
      clusterToken = from.clusterToken();
      recovered = from.recovered();
      hibernated = from.hibernated();
      paused = from.paused();
      lastComparison = from.lastComparison();
      hashMismatch = from.hashMismatch();
      rootSecret = from.rootSecret();
      finalBackup = from.finalBackup();
      finalBackupVerified = from.finalBackupVerified();
      revisionFloor = from.revisionFloor();
      blocked = from.blocked();
      retryAfter = from.retryAfter();
      failures = from.failures();
    }

    private Memory freeze() {
      return new Memory(
          lastDisruption, quorumLostSince, leaderMoveSince, lastDefragmentation, lastCompaction, clusterToken, blocked, recovered, retryAfter, failures,
          hibernated, paused, lastComparison, hashMismatch, rootSecret, finalBackup, finalBackupVerified, revisionFloor);
    }
  }
}
