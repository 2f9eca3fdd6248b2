package io.kvorum.server.watch;

import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One stream whose watches are partly the hub's and partly relayed. Belongs to the watch thread.
 *
 * <ol>
 *   <li>Requests are dealt with one by one. A create that is relayed holds up those behind it until it is answered, so that answers come in the order of the requests; after
 *       {@value #CREATE_SECONDS} s without an answer the stream is ended.
 *   <li>A relayed watch takes its id from the same counter as the hub's; elsewhere it has another one. Responses are passed on with the id exchanged, the next one once the caller
 *       took what was passed.
 *   <li>A cancel is answered at once; what still comes from elsewhere for that watch is dropped.
 *   <li>Progress is asked for elsewhere too when there are relayed watches, and told when its answer comes: the lower of the two revisions.
 *   <li>When the stream elsewhere breaks, so does this one, if a watch depends on it: the caller resumes, as when a member stops.
 * </ol>
 */
final class RoutedStream implements WatchRelay.Listener {
  private static final int CREATE_SECONDS = 10;

  private final WatchHub hub;
  private final WatchStream stream;
  private final RoutedWatchService.Routing routing;
  private final WatchRelay.Opener opener;
  private final ScheduledExecutorService timer;
  private final AtomicInteger count;
  private final Deque<WatchRequest> requests = new ArrayDeque<>();
  private final Map<Long, Watcher> byRemoteId = new HashMap<>();
  private final Map<Long, Long> remoteIds = new HashMap<>();
  private WatchRelay relay;
  private boolean responseWaits;

  /** The relayed watch that is not answered yet. */
  private Watcher creating;

  private long creates;

  /** @param count of relayed watches of all streams */
  RoutedStream(
      WatchHub hub, WatchStream stream, RoutedWatchService.Routing routing, WatchRelay.Opener opener, ScheduledExecutorService timer, AtomicInteger count) {
    this.hub = hub;
    this.stream = stream;
    this.routing = routing;
    this.opener = opener;
    this.timer = timer;
    this.count = count;
    stream.whenDrained = this::drained;
  }

  void arrived(WatchRequest request) {
    if (!stream.closed()) {
      requests.add(request);
      work();
    }
  }

  private void work() {
    while (creating == null && !requests.isEmpty() && !stream.closed()) {
      WatchRequest request = requests.remove();
      switch (request.getRequestUnionCase()) {
        case CREATE_REQUEST -> create(request.getCreateRequest());
        case CANCEL_REQUEST -> cancel(request.getCancelRequest().getWatchId());
        case PROGRESS_REQUEST -> progressOnceReached();
        case REQUESTUNION_NOT_SET -> {}
      }
      if (creating == null) {
        stream.requestDone();
      }
    }
  }

  private void create(WatchCreateRequest request) {
    if (routing.local(request)) {
      hub.createNow(stream, request, null, routing.shown());
      return;
    }
    String reason = WatchRules.refusal(stream, request, null);
    if (reason != null) {
      stream.force(WatchMessage.refused(present(), reason));
      return;
    }
    Watcher watcher = WatchRules.watcher(stream, request);
    watcher.state = Watcher.State.RELAYED;
    watcher.relayed = true;
    stream.add(watcher);
    count.incrementAndGet();
    creating = watcher;
    if (relay == null) {
      relay = opener.open(this);
    }
    long remoteId = relay.create(request);
    byRemoteId.put(remoteId, watcher);
    remoteIds.put(watcher.id, remoteId);
    long turn = ++creates;
    timer.schedule(() -> hub.submit(() -> unanswered(turn)), CREATE_SECONDS, TimeUnit.SECONDS);
  }

  private byte[] present() {
    return hub.core().header(Math.max(hub.core().revision(), routing.shown()));
  }

  private void unanswered(long turn) {
    if (creating != null && turn == creates) {
      end(EtcdError.TIMED_OUT.status());
    }
  }

  private void cancel(long id) {
    Watcher watcher = stream.watcher(id);
    if (watcher == null || !watcher.relayed) {
      hub.core().cancel(stream, id, routing.shown());
      return;
    }
    long remoteId = remoteIds.get(id);
    if (relay != null) {
      relay.cancel(remoteId);
    }
    forget(watcher, remoteId);
    stream.force(WatchMessage.canceled(present(), id));
  }

  private void forget(Watcher watcher, long remoteId) {
    if (watcher.state == Watcher.State.RELAYED) {
      count.decrementAndGet();
    }
    watcher.state = Watcher.State.GONE;
    stream.remove(watcher);
    byRemoteId.remove(remoteId);
    remoteIds.remove(watcher.id);
  }

  private void progressOnceReached() {
    if (routing.shown() <= hub.core().revision()) {
      progress();
    } else {
      routing.reach(routing.shown(), () -> hub.submit(this::progress));
    }
  }

  private void progress() {
    if (stream.closed()) {
      return;
    }
    if (byRemoteId.isEmpty()) {
      hub.core().progress(stream);
    } else {
      relay.progress();
    }
  }

  @Override
  public void response(WatchRelay from, WatchResponse response) {
    if (stream.closed()) {
      return;
    }
    routing.told(response.getHeader().getRevision());
    if (response.getCreated()) {
      created(response);
    } else if (response.getWatchId() < 0) {
      hub.core().progress(stream, response.getHeader().getRevision());
    } else {
      Watcher watcher = byRemoteId.get(response.getWatchId());
      if (watcher != null) {
        pass(watcher, response);
      }
    }
    responseWaits = true;
    drained();
  }

  /** Lets the next response in once the caller has taken the one before. */
  private void drained() {
    if (responseWaits && stream.keepsUp() && relay != null) {
      responseWaits = false;
      relay.next();
    }
  }

  private void created(WatchResponse response) {
    Watcher watcher = creating;
    if (watcher == null) {
      return;
    }
    creating = null;
    if (response.getCanceled()) {
      forget(watcher, remoteIds.get(watcher.id));
      stream.returnId(watcher.id);
      stream.force(WatchMessage.of(response.toBuilder().setWatchId(-1).build()));
    } else {
      stream.force(WatchMessage.of(response.toBuilder().setWatchId(watcher.id).build()));
    }
    stream.requestDone();
    work();
  }

  private void pass(Watcher watcher, WatchResponse response) {
    stream.force(WatchMessage.of(response.toBuilder().setWatchId(watcher.id).build()));
    if (!response.getCanceled()) {
      return;
    }
    long remoteId = response.getWatchId();
    if (response.getCompactRevision() == 0) {
      forget(watcher, remoteId);
    } else {
      // The id stays taken until the caller cancels it too.
      watcher.state = Watcher.State.COMPACTED;
      count.decrementAndGet();
      byRemoteId.remove(remoteId);
    }
  }

  @Override
  public void ended(WatchRelay from, Status status) {
    relay = null;
    responseWaits = false;
    if (creating != null || !byRemoteId.isEmpty()) {
      end(status.isOk() ? EtcdError.SERVER_STOPPED.status() : status.withCause(null));
    }
  }

  /** Ends the stream with an answer. */
  void end(Status status) {
    hub.core().close(stream, status);
  }

  /** The stream is over. */
  void ended() {
    requests.clear();
    creating = null;
    byRemoteId.values().forEach(watcher -> count.addAndGet(watcher.state == Watcher.State.RELAYED ? -1 : 0));
    byRemoteId.clear();
    remoteIds.clear();
    if (relay != null) {
      relay.close();
      relay = null;
    }
  }
}
