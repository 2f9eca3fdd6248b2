package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.WatchCancelRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchProgressRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One watch stream of a client: events by watch, and the answers to its requests apart. */
final class WatchClient implements StreamObserver<WatchResponse>, AutoCloseable {
  private final StreamObserver<WatchRequest> requests;
  private final Map<Long, List<Event>> events = new TreeMap<>();
  private final BlockingQueue<WatchResponse> answers = new LinkedBlockingQueue<>();
  private final List<String> faults = new ArrayList<>();
  private final Set<Long> gone = new HashSet<>();
  private long promised;
  final CompletableFuture<Status> ended = new CompletableFuture<>();

  WatchClient(Channel channel) {
    requests = WatchGrpc.newStub(channel).watch(this);
  }

  static WatchCreateRequest.Builder on(String key) {
    return WatchCreateRequest.newBuilder().setKey(ByteString.copyFromUtf8(key));
  }

  static WatchCreateRequest.Builder on(String key, String end) {
    return on(key).setRangeEnd(ByteString.copyFromUtf8(end));
  }

  @Override
  public synchronized void onNext(WatchResponse response) {
    if (response.getCreated()) {
      // An id that the client chose may be used again.
      gone.remove(response.getWatchId());
      events.remove(response.getWatchId());
    } else if (gone.contains(response.getWatchId())) {
      faults.add("something after the cancel reply: " + response);
    }
    for (Event event : response.getEventsList()) {
      if (event.getKv().getModRevision() <= promised) {
        faults.add("an event at or below progress " + promised + ": " + event);
      }
      events.computeIfAbsent(response.getWatchId(), id -> new ArrayList<>()).add(event);
    }
    if (response.getEventsCount() == 0) {
      if (response.getWatchId() == -1 && !response.getCreated()) {
        promised = Math.max(promised, response.getHeader().getRevision());
      }
      if (response.getCanceled() && response.getCompactRevision() == 0) {
        gone.add(response.getWatchId());
      }
      answers.add(response);
    }
  }

  @Override
  public void onError(Throwable failure) {
    ended.complete(Status.fromThrowable(failure));
  }

  @Override
  public void onCompleted() {
    ended.complete(Status.OK);
  }

  void create(WatchCreateRequest.Builder request) {
    requests.onNext(WatchRequest.newBuilder().setCreateRequest(request).build());
  }

  void cancel(long id) {
    requests.onNext(WatchRequest.newBuilder().setCancelRequest(WatchCancelRequest.newBuilder().setWatchId(id)).build());
  }

  void progress() {
    requests.onNext(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build());
  }

  WatchResponse answer() throws InterruptedException {
    WatchResponse response = answers.poll(CopyRig.DEADLINE_SECONDS, TimeUnit.SECONDS);
    assertThat(response).as("an answer in time; " + faults() + " of watches " + events().keySet()).isNotNull();
    return response;
  }

  WatchResponse answerIfAny(long millis) throws InterruptedException {
    return answers.poll(millis, TimeUnit.MILLISECONDS);
  }

  synchronized Map<Long, List<Event>> events() {
    Map<Long, List<Event>> copy = new TreeMap<>();
    events.forEach((id, list) -> copy.put(id, List.copyOf(list)));
    return copy;
  }

  synchronized List<Event> events(long id) {
    return List.copyOf(events.getOrDefault(id, List.of()));
  }

  synchronized List<String> faults() {
    return List.copyOf(faults);
  }

  @Override
  public void close() {
    requests.onError(Status.CANCELLED.asRuntimeException());
  }
}
