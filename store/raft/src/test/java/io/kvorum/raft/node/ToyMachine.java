package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Applies strings to a list. */
final class ToyMachine implements StateMachine {
  /** What survives a crash: replaced as a whole. */
  record Durable(SnapshotMeta meta, List<String> commands) {}

  /** The disk of the state machine, kept by the test over restarts. */
  static final class Store {
    volatile Durable durable;

    Store(SnapshotMeta start) {
      durable = new Durable(start, List.of());
    }
  }

  private final Store store;
  private final long checkpointBytes;
  private final Map<String, CompletableFuture<Long>> waiting = new ConcurrentHashMap<>();
  private final List<String> commands = new ArrayList<>();
  private final List<String> justApplied = new ArrayList<>();
  private volatile List<String> published;
  private volatile Membership membership;
  private long applied;
  volatile RaftStatus leadership;
  volatile int installs;
  volatile int checkpoints;

  ToyMachine(Store store, long checkpointBytes) {
    this.store = store;
    this.checkpointBytes = checkpointBytes;
    Durable durable = store.durable;
    commands.addAll(durable.commands());
    applied = durable.meta().index();
    published = List.copyOf(commands);
    membership = durable.meta().membership();
  }

  /** Completes with the index once the command is applied and published here. */
  CompletableFuture<Long> await(String command) {
    return waiting.computeIfAbsent(command, c -> new CompletableFuture<>());
  }

  List<String> published() {
    return published;
  }

  Membership membership() {
    return membership;
  }

  /** Forgets who waits, as a crash does. */
  void crash() {
    waiting.clear();
  }

  @Override
  public long appliedIndex() {
    return applied;
  }

  @Override
  public void apply(Entry entry) {
    advance(entry);
    if (entry.data().length > 0) {
      String command = new String(entry.data(), StandardCharsets.UTF_8);
      commands.add(command);
      justApplied.add(command);
    }
  }

  private void advance(Entry entry) {
    if (entry.index() != applied + 1) {
      throw new IllegalStateException("entry " + entry.index() + " after " + applied);
    }
    applied = entry.index();
  }

  @Override
  public boolean applyMembership(Entry entry, MembershipChange change, Membership membershipAfter) {
    advance(entry);
    membership = membershipAfter;
    return true;
  }

  @Override
  public void endBatch(long appliedIndex) {
    published = List.copyOf(commands);
    for (String command : justApplied) {
      CompletableFuture<Long> future = waiting.remove(command);
      if (future != null) {
        future.complete(appliedIndex);
      }
    }
    justApplied.clear();
  }

  @Override
  public void leadershipChanged(RaftStatus status) {
    leadership = status;
  }

  @Override
  public boolean wantsCheckpoint(long logBytesSinceCheckpoint) {
    return logBytesSinceCheckpoint >= checkpointBytes;
  }

  @Override
  public SnapshotMeta checkpoint(SnapshotMeta appliedPosition) {
    if (appliedPosition.index() != applied) {
      throw new IllegalStateException("checkpoint at " + appliedPosition.index() + " of a state at " + applied);
    }
    checkpoints++;
    store.durable = new Durable(appliedPosition, List.copyOf(commands));
    return appliedPosition;
  }

  @Override
  public void install(SnapshotMeta meta, Path directory) throws IOException {
    installs++;
    List<String> received = Files.readAllLines(directory.resolve("commands"));
    store.durable = new Durable(meta, received);
    commands.clear();
    commands.addAll(received);
    applied = meta.index();
    membership = meta.membership();
    published = List.copyOf(commands);
  }
}
