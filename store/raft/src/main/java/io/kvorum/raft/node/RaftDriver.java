package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.HardState;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftConfig;
import io.kvorum.raft.core.RaftCore;
import io.kvorum.raft.log.SegmentedLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;

/**
 * Runs one member's consensus: the raft thread carries core, apply and answers; the log has a thread of its own while there are other voters, so
 * that their answers are taken while the disk works,
 * and is called on the raft thread while this member is the only voter.
 *
 * <p>One round of the raft thread, see {@link RaftLoop}: take in messages and what became durable, tick, propose, ask for reads, carry out the
 * core's results.
 *
 * <p>Life: {@link #open}, {@link #start}, {@link #close}. The node stops by itself when the log fails, when the state machine throws, and when it
 * applied its own removal ({@link RemovedException});
 * {@link #failure} says so. It never terminates the process and never retries.
 */
public final class RaftDriver implements RaftNode {
  private static final int MESSAGES_MAX = 65_536;
  private static final int CONTROLS_MAX = 4096;

  private final DriverOptions options;
  private final SegmentedLog log;
  private final Doorbell bell = new Doorbell();
  private final MpscQueue<Message> messages = new MpscQueue<>(MESSAGES_MAX);
  private final AtomicLong messageBytes = new AtomicLong();
  private final MpscQueue<RaftLoop.Control> controls = new MpscQueue<>(CONTROLS_MAX);
  private final ProposalQueue proposals;
  private final ReadQueue reads;
  private final RaftLoop loop;
  private final Thread thread;
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
  private volatile RaftStatus status;

  /** This member alone decides, and everything acknowledged is published here. */
  private volatile boolean aloneAndCurrent;

  private volatile boolean stopping;

  /** What {@link RaftLoop} works with. */
  record Inbox(
      Doorbell bell, MpscQueue<Message> messages, AtomicLong messageBytes, MpscQueue<RaftLoop.Control> controls, ProposalQueue proposals, ReadQueue reads) {}

  private RaftDriver(
      RaftConfig config,
      DriverOptions options,
      SegmentedLog log,
      SnapshotMeta start,
      StateMachine machine,
      Transport transport,
      TimeSource time,
      IntUnaryOperator jitter,
      FailPoint failPoint) {
    this.options = options;
    this.log = log;
    this.proposals = new ProposalQueue(options, time);
    this.reads = new ReadQueue(options, time, time.nanoTime());
    Applier.Snapshots snapshots = new Applier.Snapshots(start);
    RaftCore core = new RaftCore(config, log.hardState(), start.membership(), start.index(), log, jitter, snapshots::newest);
    LogStage stage = new LogStage(log, transport, bell, this::fail);
    Applier applier = new Applier(config.id(), core, log, machine, failPoint, start, snapshots);
    Inbox inbox = new Inbox(bell, messages, messageBytes, controls, proposals, reads);
    TransferTracker transfers = new TransferTracker(time, config.electionTicks() * options.tickMillis() * 1_000_000L);
    this.loop = new RaftLoop(this, options, core, stage, applier, log, machine, transport, time, inbox, transfers);
    this.status = core.status();
    this.thread = Thread.ofPlatform().name("raft").unstarted(this::run);
  }

  /**
   * Brings log and state machine together and builds the node; nothing runs yet.
   *
   * @param config the protocol's parameters; {@code electionTicks} counts in {@code options.tickMillis}
   * @param options times and bounds
   * @param log opened; the node closes it
   * @param start where the state machine stands: index and term of its checkpoint and the membership as of it; for a new cluster index and term
   *     0 and the first voters. Its index must equal
   *     {@link StateMachine#appliedIndex}. If it is ahead of the log, or in conflict with it (a crash between installing a snapshot and resetting
   *     the log), the log is reset to it
   * @param machine what is applied to
   * @param transport called only after {@link #start}, on the raft thread and the log thread
   * @param time clocks
   * @param jitter {@code n -> [0, n)}, spreads election time-outs
   * @param failPoint {@code raft.node.before-checkpoint}, {@code raft.node.after-checkpoint}, {@code raft.node.after-install}
   * @throws IOException if the log fails
   * @throws IllegalStateException if entries are missing between the state machine and the log
   */
  public static RaftDriver open(
      RaftConfig config,
      DriverOptions options,
      SegmentedLog log,
      SnapshotMeta start,
      StateMachine machine,
      Transport transport,
      TimeSource time,
      IntUnaryOperator jitter,
      FailPoint failPoint)
      throws IOException {
    if (machine.appliedIndex() != start.index()) {
      throw new IllegalStateException("the state machine stands at " + machine.appliedIndex() + ", its checkpoint at " + start.index());
    }
    if (start.index() < log.firstIndex() - 1) {
      throw new IllegalStateException("entries " + (start.index() + 1) + ".." + (log.firstIndex() - 1) + " are missing: the state machine is older than the log");
    }
    if (start.index() > log.lastIndex() || log.term(start.index()) != start.term()) {
      log.reset(start.index(), start.term());
    }
    HardState state = log.hardState();
    if (state.term() < start.term()) {
      log.append(new HardState(start.term(), 0, Math.max(start.index(), state.commit())), List.of());
      log.sync();
    }
    return new RaftDriver(config, options, log, start, machine, transport, time, jitter, failPoint);
  }

  @Override
  public void start() {
    thread.start();
  }

  private void run() {
    try {
      loop.run();
    } catch (Throwable e) {
      fail(e);
    } finally {
      stopping = true;
      aloneAndCurrent = false;
      loop.end(failure.isDone());
    }
  }

  boolean isStopping() {
    return stopping;
  }

  /** Ends the node; the first reason counts. */
  void fail(Throwable reason) {
    stopping = true;
    aloneAndCurrent = false;
    failure.complete(reason);
    bell.ring();
  }

  /** Raft thread: a new picture for everybody else. */
  void publish(RaftStatus newStatus, boolean alone) {
    status = newStatus;
    aloneAndCurrent = alone && !stopping;
  }

  /** Raft thread: others count from now on, or the leadership is in doubt. */
  void notAlone() {
    aloneAndCurrent = false;
  }

  @Override
  public ProposeResult propose(byte[] request) {
    if (stopping) {
      return ProposeResult.STOPPED;
    }
    RaftStatus seen = status;
    if (seen.commit() - seen.applied() > options.maxUnapplied() || !proposals.offer(request)) {
      return ProposeResult.REFUSED;
    }
    bell.ring();
    return ProposeResult.ACCEPTED;
  }

  @Override
  public ProposeResult proposeMembership(MembershipChange change) {
    if (stopping) {
      return ProposeResult.STOPPED;
    }
    if (!proposals.offer(change)) {
      return ProposeResult.REFUSED;
    }
    bell.ring();
    return ProposeResult.ACCEPTED;
  }

  @Override
  public void readIndex(ReadCallback callback) {
    if (aloneAndCurrent) {
      callback.ready();
    } else if (stopping) {
      callback.failed(ReadCallback.Failure.STOPPED);
    } else if (!reads.offer(callback)) {
      callback.failed(ReadCallback.Failure.TOO_MANY);
    } else {
      bell.ring();
      loop.cancelLate();
    }
  }

  @Override
  public CompletableFuture<Boolean> transferLeadership(long target) {
    CompletableFuture<Boolean> outcome = new CompletableFuture<>();
    control(() -> loop.transfer(target, outcome), () -> outcome.complete(false));
    return outcome;
  }

  @Override
  public <T> CompletableFuture<T> atPosition(Function<SnapshotMeta, T> task) {
    CompletableFuture<T> outcome = new CompletableFuture<>();
    Runnable run =
        () -> {
          try {
            outcome.complete(task.apply(loop.position()));
          } catch (RuntimeException | Error failed) {
            outcome.completeExceptionally(failed);
          }
        };
    control(run, () -> outcome.completeExceptionally(new IllegalStateException("the node is stopping or too busy")));
    return outcome;
  }

  @Override
  public boolean receive(Message message) {
    if (stopping || message.type() == Message.Type.SNAPSHOT) {
      return false;
    }
    long bytes = sizeOf(message);
    if (messageBytes.addAndGet(bytes) > options.maxMessageBytes() || !messages.offer(message)) {
      messageBytes.addAndGet(-bytes);
      return false;
    }
    bell.ring();
    return true;
  }

  static long sizeOf(Message message) {
    long bytes = 64;
    for (Entry entry : message.entries()) {
      bytes += entry.sizeBytes();
    }
    return bytes;
  }

  @Override
  public CompletableFuture<Boolean> receiveSnapshot(Message message, Path directory) {
    CompletableFuture<Boolean> outcome = new CompletableFuture<>();
    Runnable cancelled =
        () -> {
          RaftLoop.delete(directory);
          outcome.complete(false);
        };
    control(() -> loop.receiveSnapshot(message, directory, outcome), cancelled);
    return outcome;
  }

  @Override
  public void reportUnreachable(long member) {
    control(() -> loop.core().reportUnreachable(member), () -> {});
  }

  @Override
  public void reportSnapshot(long member, boolean installed) {
    control(() -> loop.core().reportSnapshot(member, installed), () -> {});
  }

  @Override
  public void peerClosed(long member) {
    control(() -> loop.core().leaderLost(member), () -> {});
  }

  private void control(Runnable action, Runnable cancelled) {
    if (stopping || !controls.offer(new RaftLoop.Control(action, cancelled))) {
      cancelled.run();
      return;
    }
    bell.ring();
    loop.cancelLate();
  }

  @Override
  public RaftStatus status() {
    return status;
  }

  @Override
  public CompletableFuture<Throwable> failure() {
    return failure;
  }

  @Override
  public List<Entry> committed(long from, long maxBytes) {
    long to = status.commit() + 1;
    return from >= to ? List.of() : log.entries(from, to, maxBytes);
  }

  /**
   * Stops the threads, takes a last checkpoint unless the node failed, and closes the log. Move the leadership away before, if this member leads
   * others.
   */
  @Override
  public void close() {
    stopping = true;
    bell.ring();
    if (thread.getState() == Thread.State.NEW) {
      loop.end(true);
      return;
    }
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
