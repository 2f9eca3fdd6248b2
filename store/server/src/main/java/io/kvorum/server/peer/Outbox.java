package io.kvorum.server.peer;

import io.kvorum.raft.Message;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What waits to be sent to one member, bounded by number and bytes. While the member is not connected, what a connection that comes soon should
 * still carry is kept: the newest votes, heartbeats and forwarded proposals (whose callers would else wait for nothing), for two seconds at most.
 * Never a leader's entries: it sends those again from where the follower really is.
 */
final class Outbox {
  static final int MESSAGES_MAX = 4_096;
  static final long BYTES_MAX = 64L << 20;
  static final int OFFLINE_MESSAGES_MAX = 64;
  static final long OFFLINE_BYTES_MAX = 4L << 20;
  static final long OFFLINE_NANOS_MAX = 2_000_000_000L;

  private record Waiting(Message message, long sizeBytes, long sinceNanos) {}

  private final LongSupplier nanoTime;
  private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
  private long bytes;
  private boolean scheduled;
  private boolean online;

  Outbox(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** What became of a message. */
  enum Outcome {
    /** Queued; the caller has to see to a drain. */
    SCHEDULE,
    /** Queued; a drain follows anyway. */
    QUEUED,
    /** Not queued. */
    DROPPED
  }

  synchronized Outcome add(Message message) {
    Waiting waiting = new Waiting(message, MessageCodec.sizeBytes(message), nanoTime.getAsLong());
    if (!online) {
      return addOffline(waiting);
    }
    if (queue.size() >= MESSAGES_MAX || bytes + waiting.sizeBytes > BYTES_MAX && !queue.isEmpty()) {
      return Outcome.DROPPED;
    }
    queue.add(waiting);
    bytes += waiting.sizeBytes;
    if (scheduled) {
      return Outcome.QUEUED;
    }
    scheduled = true;
    return Outcome.SCHEDULE;
  }

  private Outcome addOffline(Waiting waiting) {
    boolean kept = waiting.message.entries().isEmpty() || waiting.message.type() == Message.Type.PROPOSE;
    if (!kept || waiting.sizeBytes > OFFLINE_BYTES_MAX) {
      return Outcome.DROPPED;
    }
    while (queue.size() >= OFFLINE_MESSAGES_MAX || bytes + waiting.sizeBytes > OFFLINE_BYTES_MAX) {
      bytes -= queue.poll().sizeBytes;
    }
    queue.add(waiting);
    bytes += waiting.sizeBytes;
    return Outcome.QUEUED;
  }

  /** The member can be reached from now on; a drain has to follow. What waits for too long is forgotten: its sender has given up. */
  synchronized void connected() {
    online = true;
    long now = nanoTime.getAsLong();
    while (!queue.isEmpty() && now - queue.peek().sinceNanos > OFFLINE_NANOS_MAX) {
      bytes -= queue.poll().sizeBytes;
    }
  }

  /** A drain begins: a message that comes from now on asks for another one. */
  synchronized void draining() {
    scheduled = false;
  }

  /** Takes the oldest messages: at least one if there is any, then up to the bounds. */
  synchronized List<Message> take(int maxMessages, long maxBytes) {
    List<Message> batch = new ArrayList<>(Math.min(maxMessages, queue.size()));
    long batchBytes = 0;
    while (!queue.isEmpty() && batch.size() < maxMessages) {
      long size = queue.peek().sizeBytes;
      if (!batch.isEmpty() && batchBytes + size > maxBytes) {
        break;
      }
      batch.add(queue.poll().message);
      batchBytes += size;
    }
    bytes -= batchBytes;
    return batch;
  }

  /** The member cannot be reached. Drops everything but forwarded proposals; returns whether anything was dropped. */
  synchronized boolean disconnected() {
    online = false;
    int before = queue.size();
    queue.removeIf(w -> w.message.type() != Message.Type.PROPOSE);
    boolean dropped = queue.size() < before;
    bytes = queue.stream().mapToLong(Waiting::sizeBytes).sum();
    while (queue.size() > OFFLINE_MESSAGES_MAX || bytes > OFFLINE_BYTES_MAX) {
      bytes -= queue.poll().sizeBytes;
      dropped = true;
    }
    return dropped;
  }

  /** Takes back the proposals that were never sent, but for those that waited for too long. */
  synchronized List<Message> takeProposals() {
    List<Message> proposals = new ArrayList<>();
    long now = nanoTime.getAsLong();
    for (Iterator<Waiting> all = queue.iterator(); all.hasNext(); ) {
      Waiting waiting = all.next();
      if (waiting.message.type() == Message.Type.PROPOSE) {
        all.remove();
        bytes -= waiting.sizeBytes;
        if (now - waiting.sinceNanos <= OFFLINE_NANOS_MAX) {
          proposals.add(waiting.message);
        }
      }
    }
    return proposals;
  }

  synchronized int size() {
    return queue.size();
  }
}
