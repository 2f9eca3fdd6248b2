package io.kvorum.server.watch;

import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * What watchers see and when, without threads, queues or clock: one thread calls, in order.
 *
 * <ol>
 *   <li>{@code revision} is the newest revision whose changes went through {@link #published}. A watcher is SYNCED when everything up to it that the watcher may
 *       see is with its stream; it is then in the index. Its {@code next} holds back what is too early: a start in the future, or what history already gave.
 *   <li>A synced watcher gets one response per main revision. When its stream refuses one, the watcher leaves the index with {@code next} at that revision and is
 *       BEHIND; nothing of the revision was sent, so nothing is torn.
 *   <li>A watcher that is BEHIND, or was created in the past, reads history in slices (see {@link HistoryReader}) whenever its stream keeps up, and enters the
 *       index once its {@code next} is above {@code revision}. Batches that arrive later and were read as history already are below {@code next}: no gap, no
 *       duplicate.
 *   <li>A batch that does not join on to {@code revision} (the hub dropped one for lack of room, or a snapshot was installed) sends every synced watcher to history.
 *   <li>A watcher that is BEHIND below the compacted floor is cancelled with the floor; its id stays taken until the client cancels it.
 * </ol>
 */
final class WatchCore {
  private final MvccStore store;
  private final LongFunction<ResponseHeader> headers;
  private final WatchBounds bounds;
  private final ProgressTimer progressTimer;
  private final WatcherIndex index = new WatcherIndex();
  private final Set<WatchStream> streams = new LinkedHashSet<>();
  private final Set<Watcher> behind = new LinkedHashSet<>();
  private final HistoryReader history;
  private final List<Watcher> touched = new ArrayList<>();
  private long revision;
  private volatile int watcherCount;
  private volatile int behindCount;
  private volatile int streamCount;
  private volatile long eventCount;

  /**
   * @param store history of past revisions
   * @param headers makes a response header with a given revision
   */
  WatchCore(MvccStore store, LongFunction<ResponseHeader> headers, WatchBounds bounds, ProgressTimer progressTimer) {
    this.store = store;
    this.headers = headers;
    this.bounds = bounds;
    this.history = new HistoryReader(this, bounds);
    this.progressTimer = progressTimer;
    this.revision = store.revision();
  }

  int watcherCount() {
    return watcherCount;
  }

  int behindCount() {
    return behindCount;
  }

  int streamCount() {
    return streamCount;
  }

  long eventCount() {
    return eventCount;
  }

  long revision() {
    return revision;
  }

  Set<Watcher> behind() {
    return behind;
  }

  MvccStore store() {
    return store;
  }

  void open(WatchStream stream) {
    streams.add(stream);
    streamCount = streams.size();
    stream.drain();
  }

  /** @param status what to end the call with, null when it is over already */
  void close(WatchStream stream, Status status) {
    if (!streams.remove(stream)) {
      return;
    }
    streamCount = streams.size();
    progressTimer.stop(stream);
    for (Watcher watcher : stream.watchers()) {
      detach(watcher);
      watcherCount -= watcher.relayed ? 0 : 1;
    }
    stream.close(status);
  }

  void closeAll(Status status) {
    List.copyOf(streams).forEach(stream -> close(stream, status));
  }

  /**
   * Deals with one create request.
   *
   * @param refusal why the caller may not watch this, null when it may
   * @param published newest published revision, to begin at when nobody watched until now; read after this watcher has become visible in the count
   * @param shown newest revision that the caller may have seen elsewhere: a watch from now on begins behind it
   */
  void create(WatchStream stream, WatchCreateRequest request, String refusal, LongSupplier published, long now, long shown) {
    if (stream.closed()) {
      return;
    }
    String reason = WatchRules.refusal(stream, request, refusal);
    if (reason != null) {
      long newest = Math.max(revision, watcherCount == 0 ? published.getAsLong() : 0);
      stream.force(WatchMessage.refused(header(Math.max(newest, shown)), reason));
      return;
    }
    watcherCount++;
    if (watcherCount == 1) {
      // Batches are not handed in while nobody watches. The count is visible before this read, so that one of the two sides sees the other.
      revision = Math.max(revision, published.getAsLong());
    }
    Watcher watcher = WatchRules.watcher(stream, request);
    long start = watcher.startRevision;
    watcher.next = start == 0 ? Math.max(revision, shown) + 1 : start;
    stream.add(watcher);
    stream.force(WatchMessage.created(header(Math.max(revision, shown)), watcher.id));
    if (watcher.options.progress()) {
      progressTimer.start(stream, now);
    }
    long floor = store.compactRevision();
    if (start != 0 && start < floor) {
      cancelCompacted(watcher, floor);
    } else {
      place(watcher);
    }
  }

  void cancel(WatchStream stream, long id) {
    cancel(stream, id, 0);
  }

  /** @param shown newest revision that the caller may have seen elsewhere */
  void cancel(WatchStream stream, long id, long shown) {
    Watcher watcher = stream.watcher(id);
    if (watcher == null) {
      return;
    }
    detach(watcher);
    watcher.state = Watcher.State.GONE;
    stream.remove(watcher);
    watcherCount--;
    stream.force(WatchMessage.canceled(header(Math.max(revision, shown)), id));
    if (watcher.options.progress() && stream.watchers().stream().noneMatch(w -> w.options.progress())) {
      progressTimer.stop(stream);
    }
  }

  /** As the other one, of a stream whose watchers are all here. */
  void progress(WatchStream stream) {
    progress(stream, 0);
  }

  /**
   * Answers a progress request if every watcher of the stream is synced and has begun; else stays silent, as etcd does.
   *
   * @param relayed revision that those of its watchers have reached that are served elsewhere; 0 when there are none
   */
  void progress(WatchStream stream, long relayed) {
    long reached = relayed;
    for (Watcher watcher : stream.watchers()) {
      if (watcher.state != Watcher.State.COMPACTED && watcher.state != Watcher.State.RELAYED) {
        if (!caughtUp(watcher)) {
          return;
        }
        reached = relayed == 0 ? revision : Math.min(revision, relayed);
      }
    }
    if (reached > 0) {
      stream.force(WatchMessage.progress(header(reached), -1));
    }
  }

  private boolean caughtUp(Watcher watcher) {
    return watcher.state == Watcher.State.SYNCED && watcher.startRevision <= revision && watcher.next <= revision + 1;
  }

  /** Sends due progress notifications; returns the nanoseconds until the next are due. */
  long tick(long now) {
    return progressTimer.run(now, this::progressRound);
  }

  private void progressRound(WatchStream stream) {
    for (Watcher watcher : stream.watchers()) {
      if (watcher.options.progress()) {
        if (watcher.quiet && caughtUp(watcher)) {
          stream.offer(WatchMessage.progress(header(revision), watcher.id));
        }
        watcher.quiet = true;
      }
    }
  }

  /**
   * One applied batch.
   *
   * @param previous newest revision before it
   * @param newest newest revision after it
   * @param changes all changes between the two, in order
   */
  void published(long previous, long newest, List<Change> changes) {
    if (newest <= revision) {
      return;
    }
    if (previous > revision) {
      lost(previous);
    }
    try (LazyView view = new LazyView(store)) {
      for (int from = 0; from < changes.size(); ) {
        long main = changes.get(from).main();
        int to = from + 1;
        while (to < changes.size() && changes.get(to).main() == main) {
          to++;
        }
        if (main > revision && index.size() > 0) {
          deliver(main, changes.subList(from, to), view);
        }
        from = to;
      }
    }
    revision = newest;
  }

  private void deliver(long main, List<Change> changes, LazyView view) {
    for (Change change : changes) {
      Match match = new Match(change);
      index.match(change.key(), match::accept);
    }
    byte[] head = header(main);
    for (int i = 0; i < touched.size(); i++) {
      Watcher watcher = touched.get(i);
      if (!send(watcher, head, view)) {
        index.remove(watcher);
        watcher.next = main;
        setBehind(watcher);
      }
    }
    touched.clear();
  }

  /** Sends what is pending for a watcher as one response (or its fragments); false when the stream refused it. Empties pending in either case. */
  boolean send(Watcher watcher, byte[] head, LazyView view) {
    List<EncodedEvent> pending = watcher.pending;
    byte[][] events = new byte[pending.size()][];
    for (int i = 0; i < events.length; i++) {
      EncodedEvent event = pending.get(i);
      events[i] = watcher.options.previous() ? event.withPrevious(view.get()) : event.plain();
    }
    pending.clear();
    boolean taken =
        watcher.options.fragment()
            ? watcher.stream.offer(WatchMessage.fragments(head, watcher.id, events, bounds.fragmentBytes()))
            : watcher.stream.offer(WatchMessage.events(head, watcher.id, events));
    if (taken) {
      watcher.quiet = false;
      eventCount += events.length;
    }
    return taken;
  }

  /** Changes up to a revision did not come through {@link #published}: synced watchers find them in history. */
  void lost(long upTo) {
    if (upTo <= revision) {
      return;
    }
    long unseen = revision + 1;
    revision = upTo;
    for (WatchStream stream : streams) {
      for (Watcher watcher : stream.watchers()) {
        if (watcher.state == Watcher.State.SYNCED && watcher.next <= upTo) {
          index.remove(watcher);
          watcher.next = Math.max(watcher.next, unseen);
          setBehind(watcher);
        }
      }
    }
  }

  /** The store holds something else, of whose changes up to a revision nothing is known: for whoever still needed one of those they are compacted. */
  void rebased(long base) {
    revision = Math.max(revision, base);
    for (WatchStream stream : streams) {
      for (Watcher watcher : stream.watchers()) {
        boolean waits = watcher.state == Watcher.State.SYNCED || watcher.state == Watcher.State.BEHIND;
        if (waits && watcher.next <= base) {
          cancelCompacted(watcher, base);
        }
      }
    }
  }

  /** The floor moved. */
  void compacted(long floor) {
    if (behind.isEmpty()) {
      return;
    }
    for (Watcher watcher : List.copyOf(behind)) {
      if (watcher.next < floor) {
        cancelCompacted(watcher, floor);
      }
    }
  }

  /** Reads one slice of history for the watchers that need it and can take it; returns whether there was anything to do. */
  boolean catchUp() {
    return !behind.isEmpty() && history.readSlice();
  }

  private void cancelCompacted(Watcher watcher, long floor) {
    detach(watcher);
    watcher.state = Watcher.State.COMPACTED;
    watcher.stream.force(WatchMessage.compacted(header(0), watcher.id, floor));
  }

  /** Puts a watcher where its {@code next} says. */
  void place(Watcher watcher) {
    if (watcher.next > revision) {
      if (behind.remove(watcher)) {
        behindCount = behind.size();
      }
      watcher.state = Watcher.State.SYNCED;
      index.add(watcher);
    } else {
      setBehind(watcher);
    }
  }

  private void setBehind(Watcher watcher) {
    watcher.state = Watcher.State.BEHIND;
    behind.add(watcher);
    behindCount = behind.size();
  }

  private void detach(Watcher watcher) {
    if (watcher.bag != null) {
      index.remove(watcher);
    }
    if (behind.remove(watcher)) {
      behindCount = behind.size();
    }
  }

  byte[] header(long at) {
    return headers.apply(at).toByteArray();
  }

  /** Adds one change to each watcher that it concerns. */
  private final class Match {
    private final Change change;
    private EncodedEvent event;

    Match(Change change) {
      this.change = change;
    }

    void accept(WatcherBag bag) {
      for (int i = 0; i < bag.size(); i++) {
        Watcher watcher = bag.get(i);
        if (change.main() >= watcher.next && watcher.accepts(change.delete())) {
          if (event == null) {
            event = EncodedEvent.of(change);
          }
          if (watcher.pending.isEmpty()) {
            touched.add(watcher);
          }
          watcher.pending.add(event);
        }
      }
    }
  }
}
