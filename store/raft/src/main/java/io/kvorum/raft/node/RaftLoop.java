package io.kvorum.raft.node;

import io.kvorum.raft.HardState;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftCore;
import io.kvorum.raft.core.Ready;
import io.kvorum.raft.log.SegmentedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * What the raft thread does.
 *
 * <ol>
 *   <li>Take in what the log made durable, received messages, requests of other threads.
 *   <li>Tick, at most once: after a pause of the process the missed ticks are dropped, and messages that arrived meanwhile are seen first, so
 *       that nobody campaigns only because it slept.
 *   <li>Hand over proposals, all that are queued; ask for reads.
 *   <li>Carry out the core's results until there are none, in the order that {@link Ready} demands.
 *   <li>Publish the status. With nothing done, park until the next tick.
 * </ol>
 */
final class RaftLoop {
  private static final Logger LOG = System.getLogger(RaftLoop.class.getName());
  private static final int MESSAGES_PER_ROUND = 4096;

  /** For so long a removed leader waits for its successor. */
  private static final int HAND_OVER_TICKS = 20;

  private final RaftDriver driver;
  private final DriverOptions options;
  private final RaftCore core;
  private final LogStage stage;
  private final Applier applier;
  private final SegmentedLog log;
  private final StateMachine machine;
  private final Transport transport;
  private final TimeSource time;
  private final RaftDriver.Inbox inbox;
  private final TransferTracker transfers;
  private final long tickNanos;
  private long nextTick;
  private boolean leaving;
  private long leavesAt;
  private RaftStatus told;
  private Incoming incoming;
  private volatile boolean ended;

  /** A request of another thread: carried out on the raft thread, or cancelled when the node stops first. */
  record Control(Runnable action, Runnable cancelled) {}

  /** A received snapshot that the core is asked about. */
  private record Incoming(SnapshotMeta meta, Path directory) {}

  RaftLoop(
      RaftDriver driver,
      DriverOptions options,
      RaftCore core,
      LogStage stage,
      Applier applier,
      SegmentedLog log,
      StateMachine machine,
      Transport transport,
      TimeSource time,
      RaftDriver.Inbox inbox,
      TransferTracker transfers) {
    this.driver = driver;
    this.options = options;
    this.core = core;
    this.stage = stage;
    this.applier = applier;
    this.log = log;
    this.machine = machine;
    this.transport = transport;
    this.time = time;
    this.inbox = inbox;
    this.transfers = transfers;
    this.tickNanos = options.tickMillis() * 1_000_000L;
  }

  RaftCore core() {
    return core;
  }

  void run() throws IOException {
    // What is committed already is applied before anything else; a sole voter leads with its first tick.
    carryOut();
    publish();
    int ticks = isSoleVoter() ? 1 : options.initialTicks();
    for (int i = 0; i < ticks; i++) {
      core.tick();
    }
    nextTick = time.nanoTime() + tickNanos;
    while (!driver.isStopping()) {
      takeIn();
      long untilTick = tick();
      inbox.proposals().feed(core);
      inbox.reads().advance(core);
      carryOut();
      publish();
      if (applier.removed() && !handsOver()) {
        stage.drain();
        driver.fail(new RemovedException(core.status().id()));
        return;
      }
      if (!hasInput() && !(stage.hasRoom() && core.hasReady())) {
        inbox.bell().await(untilTick, () -> hasInput() || driver.isStopping());
      }
    }
  }

  /** A leader that was removed stays until somebody else leads, so that those who stay learn that the removal is committed. */
  private boolean handsOver() {
    if (!core.status().isLeader()) {
      return false;
    }
    if (!leaving) {
      leaving = true;
      leavesAt = time.nanoTime() + HAND_OVER_TICKS * tickNanos;
    }
    return time.nanoTime() - leavesAt < 0;
  }

  private boolean hasInput() {
    return !inbox.messages().isEmpty() || !inbox.controls().isEmpty() || inbox.proposals().hasNew() || inbox.reads().hasNew() || stage.hasDurable();
  }

  private void takeIn() throws IOException {
    takeDurable();
    int left = MESSAGES_PER_ROUND;
    for (Message message = inbox.messages().poll(); message != null; message = --left > 0 ? inbox.messages().poll() : null) {
      inbox.messageBytes().addAndGet(-RaftDriver.sizeOf(message));
      if (message.type() == Message.Type.PROPOSE && !core.takesProposals()) {
        // Leadership is on its way, or was ours when it was sent: it waits as our own proposals do, rather than leave its proposer to a time-out.
        inbox.proposals().keep(message);
      } else {
        core.step(message);
      }
    }
    for (Control control = inbox.controls().poll(); control != null; control = inbox.controls().poll()) {
      control.action.run();
    }
  }

  private void takeDurable() {
    LogStage.Durable durable = stage.takeDurable();
    if (durable != null) {
      core.persisted(durable.index(), durable.term());
    }
  }

  /** Ticks if it is time; returns the nanoseconds until the next tick. */
  private long tick() throws IOException {
    long now = time.nanoTime();
    if (now - nextTick >= 0) {
      core.tick();
      stage.rest();
      nextTick += tickNanos;
      if (now - nextTick >= 0) {
        nextTick = now + tickNanos;
      }
    }
    return nextTick - now;
  }

  private boolean isSoleVoter() {
    RaftStatus status = core.status();
    return status.membership().voters().size() == 1 && status.membership().isVoter(status.id());
  }

  private void carryOut() throws IOException {
    while (stage.hasRoom() && core.hasReady()) {
      carryOut(core.ready());
      takeDurable();
    }
    inbox.reads().applied(applier.applied());
  }

  private void carryOut(Ready ready) throws IOException {
    send(ready.send());
    if (ready.install() != null) {
      install(ready.install());
    }
    LogStage.Durable durable = stage.write(ready.hardState(), ready.append(), ready.sendAfterPersist(), isSoleVoter());
    if (durable != null) {
      core.persisted(durable.index(), durable.term());
    }
    applier.apply(ready.committed());
    if (!isSoleVoter()) {
      driver.notAlone();
    }
    List<Ready.ReadState> states = ready.reads();
    for (int i = 0; i < states.size(); i++) {
      inbox.reads().answered(states.get(i));
    }
    inbox.reads().applied(applier.applied());
    if (!states.isEmpty()) {
      // What came while this round was under way is the next one.
      inbox.reads().advance(core);
    }
  }

  private void send(List<Message> messages) {
    if (!messages.isEmpty()) {
      transport.send(messages);
    }
  }

  private void publish() {
    inbox.reads().advance(core);
    transfers.advance(core);
    RaftStatus status = core.status();
    boolean alone = status.role() == Role.LEADER && isSoleVoter() && applier.appliedTerm() == status.term();
    driver.publish(status, alone);
    if (told == null || told.role() != status.role() || told.term() != status.term() || told.leader() != status.leader()) {
      LOG.log(
          Level.INFO,
          "{0} in term {1}, leader {2}",
          status.role(),
          Long.toString(status.term()),
          Long.toUnsignedString(status.leader(), 16));
      told = status;
      machine.leadershipChanged(status);
    }
  }

  /** Where the state machine stands. */
  SnapshotMeta position() {
    return new SnapshotMeta(applier.applied(), applier.appliedTerm(), core.status().membership());
  }

  void transfer(long target, CompletableFuture<Boolean> outcome) {
    transfers.begin(core, target, outcome);
  }

  /** Asks the core about a received snapshot, carries out what it says, and deletes the files that are not needed. */
  void receiveSnapshot(Message message, Path directory, CompletableFuture<Boolean> outcome) {
    incoming = new Incoming(message.snapshot(), directory);
    try {
      carryOut();
      core.step(message);
      carryOut();
      outcome.complete(incoming == null);
    } catch (IOException e) {
      outcome.complete(false);
      throw new UncheckedIOException("installing a snapshot failed", e);
    } finally {
      outcome.complete(false);
      incoming = null;
      delete(directory);
    }
  }

  private void install(SnapshotMeta meta) throws IOException {
    if (incoming == null || incoming.meta.index() != meta.index()) {
      throw new IllegalStateException("a snapshot at " + meta.index() + " is to be installed, but its files are not here");
    }
    stage.drain();
    takeDurable();
    applier.install(meta, incoming.directory);
    incoming = null;
  }

  static void delete(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot delete the files of a received snapshot in " + directory, e);
    }
  }

  /** What was queued while the thread ended would wait for ever. */
  void cancelLate() {
    if (ended) {
      cancel();
    }
  }

  private synchronized void cancel() {
    inbox.reads().stop();
    for (Control control = inbox.controls().poll(); control != null; control = inbox.controls().poll()) {
      control.cancelled.run();
    }
  }

  /** For readers of the stopped log: what was applied was committed. */
  private void noteCommit() {
    HardState state = log.hardState();
    log.append(new HardState(state.term(), state.vote(), Math.max(state.commit(), applier.applied())), List.of());
  }

  /** The last act, on the raft thread: everything that waits fails, then a checkpoint spares the next start the replay. */
  void end(boolean failed) {
    stage.close();
    ended = true;
    cancel();
    transfers.stop();
    try (log) {
      if (!failed) {
        takeDurable();
        carryOut();
        applier.checkpoint();
        noteCommit();
      }
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.ERROR, "closing the log failed", e);
      driver.fail(e);
    }
  }
}
