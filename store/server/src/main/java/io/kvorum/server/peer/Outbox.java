package io.kvorum.server.peer;

import io.kvorum.raft.Message;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * What waits to be sent to one member, bounded by number and bytes. While the member is not connected only the newest small messages are kept (a vote request must arrive
 * with the connection) and forwarded proposals (a member that just started hears of the leader before its own connection is up), never the leader's entries: it sends
 * those again from where the follower really is.
 */
final class Outbox {
  static final int MESSAGES_MAX = 4_096;
  static final long BYTES_MAX = 64L << 20;
  static final int OFFLINE_MESSAGES_MAX = 64;

  private final ArrayDeque<Message> queue = new ArrayDeque<>();
  private long bytes;
  private boolean scheduled;
  private boolean online;

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
    long size = MessageCodec.sizeBytes(message);
    boolean full = queue.size() >= MESSAGES_MAX || bytes + size > BYTES_MAX && !queue.isEmpty();
    if (full || !online && message.type() == Message.Type.APPEND && !message.entries().isEmpty()) {
      return Outcome.DROPPED;
    }
    if (!online && queue.size() >= OFFLINE_MESSAGES_MAX) {
      dropOldestSmall();
    }
    queue.add(message);
    bytes += size;
    if (!online || scheduled) {
      return Outcome.QUEUED;
    }
    scheduled = true;
    return Outcome.SCHEDULE;
  }

  private void dropOldestSmall() {
    for (Iterator<Message> oldest = queue.iterator(); oldest.hasNext(); ) {
      Message message = oldest.next();
      if (message.type() != Message.Type.PROPOSE) {
        bytes -= MessageCodec.sizeBytes(message);
        oldest.remove();
        return;
      }
    }
  }

  /** The member can be reached from now on; a drain has to follow. */
  synchronized void connected() {
    online = true;
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
      long size = MessageCodec.sizeBytes(queue.peek());
      if (!batch.isEmpty() && batchBytes + size > maxBytes) {
        break;
      }
      batch.add(queue.poll());
      batchBytes += size;
    }
    bytes -= batchBytes;
    return batch;
  }

  /** The member cannot be reached; drops everything and returns whether there was anything. */
  synchronized boolean disconnected() {
    online = false;
    boolean any = !queue.isEmpty();
    queue.clear();
    bytes = 0;
    return any;
  }

  synchronized int size() {
    return queue.size();
  }
}
