package io.kvorum.server.apply;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.raft.node.StateMachine;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The replicated state machine: the key-value history, leases, members, alarms, users and roles. Applying is deterministic; two members that applied the same entries hold the
 * same state, byte for byte, however their batches were cut and whoever waited for answers.
 *
 * <p>One batch:
 *
 * <ol>
 *   <li>each entry runs through the {@link Dispatch chain}; entries at or below the applied index are skipped (they are in the checkpoint already);
 *   <li>{@link #endBatch} publishes the history, tells the change listeners, and only then completes the calls that wait on this member.
 * </ol>
 *
 * <p>An entry that this software does not know throws {@link EntryException}: the member stops rather than diverge. All methods are called on the raft thread.
 */
public final class Machine implements StateMachine {
  private static final long CHECKPOINT_LOG_BYTES = 64L << 20;

  /** A request may be nested one level deeper in its entry than protobuf's default of 100 allows; what a member accepted, every member must be able to read. */
  private static final int NESTING_MAX = 1_000;

  /**
   * What the state consists of.
   *
   * @param store the history, opened
   * @param leases the leases
   * @param members the members
   * @param alarms the alarms
   * @param auth users, roles and permissions
   */
  public record Parts(MvccStore store, LeaseState leases, MemberState members, Alarms alarms, AuthRules auth) {
    List<MachinePart> all() {
      return List.of(members, leases, alarms, auth);
    }
  }

  private record Outcome(WaitingCalls.Waiting call, Result result) {
    void tell() {
      switch (result) {
        case Result.Answer answer -> call.succeeded(answer.message());
        case Result.Refusal refusal -> call.refused(refusal.reason());
      }
    }
  }

  private final Parts parts;
  private final WaitingCalls calls;
  private final List<ChangeListener> listeners;
  private final Writes writes;
  private final Dispatch dispatch;
  private final ApplyMeter meter;
  private List<Outcome> outcomes = new ArrayList<>();
  private long appliedIndex;

  /**
   * A machine in the state of the store's checkpoint: every part is restored from it.
   *
   * @param parts the state
   * @param calls the calls of this member that wait for answers
   * @param listeners told of every batch, in this order
   */
  public Machine(Parts parts, WaitingCalls calls, List<ChangeListener> listeners) {
    this(parts, calls, listeners, new ApplyMeter(Duration.ofDays(1)));
  }

  /**
   * As the other constructor.
   *
   * @param meter counts what is applied
   */
  public Machine(Parts parts, WaitingCalls calls, List<ChangeListener> listeners, ApplyMeter meter) {
    this.meter = meter;
    this.parts = parts;
    this.calls = calls;
    this.listeners = List.copyOf(listeners);
    this.writes = new Writes(parts.store(), parts.leases());
    this.dispatch =
        new Dispatch(
            List.of(new AlarmGate(parts.alarms()), new AuthGate(parts.auth(), parts.leases())),
            new KeyApplier(writes, parts.leases(), meter),
            new LeaseApplier(writes, parts.leases(), meter),
            parts.alarms(),
            parts.members(),
            parts.auth(),
            writes);
    restore();
  }

  private void restore() {
    MvccStore.Checkpoint checkpoint = parts.store().checkpoint();
    MachineState state;
    try {
      state = MachineState.parseFrom(checkpoint.machineState());
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("the checkpoint at index " + checkpoint.index() + " holds no machine state", damaged);
    }
    for (MachinePart part : parts.all()) {
      part.restore(state);
    }
    parts.leases().rebuildAttachments(parts.store());
    writes.reset();
    appliedIndex = checkpoint.index();
  }

  @Override
  public long appliedIndex() {
    return appliedIndex;
  }

  @Override
  public void apply(Entry entry) {
    if (!advance(entry) || entry.data().length == 0) {
      return;
    }
    LogRequest request = parse(entry);
    WaitingCalls.Waiting call = calls.find(request.getHeader().getId());
    RequestKind kind = RequestKind.of(request);
    long began = System.nanoTime();
    Result result = dispatch.apply(entry.index(), kind, request, call != null);
    meter.applied(kind, request, result, System.nanoTime() - began);
    if (call != null) {
      outcomes.add(new Outcome(call, result));
    }
  }

  /** A change that the checkpoint already contains is answered with false: its effect is in the membership that the log began with. */
  @Override
  public boolean applyMembership(Entry entry, MembershipChange change, Membership membershipAfter) {
    if (!advance(entry)) {
      return false;
    }
    EtcdError refusal = parts.members().apply(change);
    WaitingCalls.Waiting call = calls.find(requestId(change));
    if (call != null) {
      outcomes.add(new Outcome(call, refusal == null ? new Result.Answer(KeyApplier.header(writes.revision())) : new Result.Refusal(refusal)));
    }
    return refusal == null;
  }

  private static long requestId(MembershipChange change) {
    try {
      return MemberContext.parseFrom(change.context()).getRequestId();
    } catch (InvalidProtocolBufferException notOurs) {
      return 0;
    }
  }

  /** Whether the entry is the next one; false for one that was applied before. */
  private boolean advance(Entry entry) {
    if (entry.index() <= appliedIndex) {
      return false;
    }
    if (entry.index() != appliedIndex + 1) {
      throw new IllegalStateException("entry " + entry.index() + " after " + appliedIndex);
    }
    appliedIndex = entry.index();
    return true;
  }

  private static LogRequest parse(Entry entry) {
    try {
      CodedInputStream in = UnsafeByteOperations.unsafeWrap(entry.data()).newCodedInput();
      in.enableAliasing(true);
      in.setRecursionLimit(NESTING_MAX);
      return LogRequest.parseFrom(in);
    } catch (IOException damaged) {
      throw new EntryException(entry.index(), "its bytes are no request", damaged);
    }
  }

  @Override
  public void endBatch(long lastApplied) {
    writes.publish(listeners);
    if (outcomes.isEmpty()) {
      return;
    }
    List<Outcome> told = outcomes;
    outcomes = new ArrayList<>(told.size());
    for (Outcome outcome : told) {
      outcome.tell();
    }
  }

  @Override
  public void leadershipChanged(RaftStatus status) {
    calls.leadershipChanged(status);
    for (MachinePart part : parts.all()) {
      part.leadershipChanged(status);
    }
  }

  @Override
  public boolean wantsCheckpoint(long logBytesSinceCheckpoint) {
    return parts.store().wantsCheckpoint() || logBytesSinceCheckpoint >= CHECKPOINT_LOG_BYTES && parts.store().prepareCheckpoint();
  }

  @Override
  public SnapshotMeta checkpoint(SnapshotMeta appliedPosition) throws IOException {
    if (appliedPosition.index() != appliedIndex) {
      throw new IllegalArgumentException("a checkpoint at " + appliedPosition.index() + " of a state at " + appliedIndex);
    }
    parts.store().checkpoint(appliedIndex, appliedPosition.term(), state().toByteArray());
    return appliedPosition;
  }

  /** The state beside the history, as a checkpoint carries it. Raft thread. */
  public MachineState state() {
    MachineState.Builder state = MachineState.newBuilder();
    for (MachinePart part : parts.all()) {
      part.save(state);
    }
    return state.build();
  }

  @Override
  public void install(SnapshotMeta meta, Path directory) throws IOException {
    meter.installing(true);
    try {
      parts.store().install(directory);
    } finally {
      meter.installing(false);
    }
    restore();
    if (appliedIndex != meta.index()) {
      throw new IllegalStateException("installed a snapshot at " + appliedIndex + " that was announced at " + meta.index());
    }
    for (ChangeListener listener : listeners) {
      listener.replaced(parts.store().revision());
    }
  }
}
