package io.kvorum.server.watch;

import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One client stream: its watchers, and the responses that its client was too slow to take. Belongs to the watch thread.
 *
 * <p>Bounds: events are refused once the bounds' responses or bytes wait (one response is always taken, however large); the
 * watcher concerned then goes on from history. Answers to the client's own requests are never refused, instead no more requests are let in while the
 * backlog is full, so that at most {@value #REQUEST_WINDOW} and one cancellation per watcher come on top.
 */
final class WatchStream {
  static final int REQUEST_WINDOW = 16;

  private final WatchSink sink;
  private final WatchBounds bounds;
  private final Map<Long, Watcher> watchers = new LinkedHashMap<>();
  private final Deque<WatchMessage> backlog = new ArrayDeque<>();
  private long backlogBytes;
  private int requestsOwed;
  private long nextId;
  private boolean closed;

  /** Run whenever the transport wants more and nothing waits. */
  Runnable whenDrained = () -> {};

  /** When the next round of progress notifications is due; meaningful while it is in the timer. */
  long progressDue;

  boolean progressTimed;

  WatchStream(WatchSink sink, WatchBounds bounds) {
    this.sink = sink;
    this.bounds = bounds;
  }

  Collection<Watcher> watchers() {
    return watchers.values();
  }

  Watcher watcher(long id) {
    return watchers.get(id);
  }

  void add(Watcher watcher) {
    watchers.put(watcher.id, watcher);
  }

  void remove(Watcher watcher) {
    watchers.remove(watcher.id);
  }

  /** The smallest id not in use from a counter that only rises. */
  long autoId() {
    while (watchers.containsKey(nextId)) {
      nextId++;
    }
    return nextId++;
  }

  /** Takes back the id that was given out last. */
  void returnId(long id) {
    nextId = nextId == id + 1 ? id : nextId;
  }

  boolean closed() {
    return closed;
  }

  /** Everything so far is with the transport, which wants more. */
  boolean keepsUp() {
    return !closed && backlog.isEmpty() && sink.isReady();
  }

  /** Takes all of these responses, or none when the backlog is full. */
  boolean offer(List<WatchMessage> messages) {
    if (closed) {
      return false;
    }
    if (!backlog.isEmpty()) {
      long bytes = 0;
      for (WatchMessage message : messages) {
        bytes += message.length();
      }
      if (backlog.size() + messages.size() > bounds.streamResponses() || backlogBytes + bytes > bounds.streamBytes()) {
        return false;
      }
    }
    messages.forEach(this::force);
    return true;
  }

  /** Takes one response; see {@link #offer(List)}. */
  boolean offer(WatchMessage message) {
    if (keepsUp()) {
      sink.send(message);
      return true;
    }
    return offer(List.of(message));
  }

  /** Takes a response whatever the backlog. */
  void force(WatchMessage message) {
    if (closed) {
      return;
    }
    if (backlog.isEmpty() && sink.isReady()) {
      sink.send(message);
    } else {
      backlog.add(message);
      backlogBytes += message.length();
    }
  }

  /** The transport may want more: hands over what waited. */
  void drain() {
    while (!closed && !backlog.isEmpty() && sink.isReady()) {
      WatchMessage message = backlog.remove();
      backlogBytes -= message.length();
      sink.send(message);
    }
    if (requestsOwed > 0 && !closed && backlog.size() < bounds.streamResponses() / 2) {
      sink.request(requestsOwed);
      requestsOwed = 0;
    }
    if (keepsUp()) {
      whenDrained.run();
    }
  }

  /** One request of the client was dealt with. */
  void requestDone() {
    if (backlog.size() < bounds.streamResponses() / 2) {
      sink.request(1);
    } else {
      requestsOwed++;
    }
  }

  int backlogResponses() {
    return backlog.size();
  }

  long backlogBytes() {
    return backlogBytes;
  }

  /** The call is over, or is ended now with this status. */
  void close(Status status) {
    if (closed) {
      return;
    }
    closed = true;
    backlog.clear();
    backlogBytes = 0;
    watchers.clear();
    if (status != null) {
      sink.close(status);
    }
  }
}
