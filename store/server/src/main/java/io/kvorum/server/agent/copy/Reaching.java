package io.kvorum.server.agent.copy;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;

/**
 * Those who wait until the copy has a revision. At most {@value #WAITING_MAX}: more are refused. Belongs to the thread that follows the cluster, but for a waiter's own giving up.
 */
final class Reaching {
  static final int WAITING_MAX = 65_536;

  private record Waiter(long revision, CompletableFuture<Void> reached) {}

  private final PriorityQueue<Waiter> waiting = new PriorityQueue<>(Comparator.comparingLong(Waiter::revision));

  void add(long revision, CompletableFuture<Void> reached) {
    if (waiting.size() >= WAITING_MAX) {
      waiting.removeIf(waiter -> waiter.reached.isDone());
    }
    if (waiting.size() >= WAITING_MAX) {
      reached.completeExceptionally(new IllegalStateException(WAITING_MAX + " calls wait for the copy already"));
    } else {
      waiting.add(new Waiter(revision, reached));
    }
  }

  /** The copy has this revision. */
  void reached(long revision) {
    while (!waiting.isEmpty() && (waiting.peek().revision <= revision || waiting.peek().reached.isDone())) {
      waiting.remove().reached.complete(null);
    }
  }

  /** Whether somebody still waits. */
  boolean any() {
    while (!waiting.isEmpty() && waiting.peek().reached.isDone()) {
      waiting.remove();
    }
    return !waiting.isEmpty();
  }

  /** The copy will not have any for now. */
  void fail(RuntimeException reason) {
    waiting.forEach(waiter -> waiter.reached.completeExceptionally(reason));
    waiting.clear();
  }
}
