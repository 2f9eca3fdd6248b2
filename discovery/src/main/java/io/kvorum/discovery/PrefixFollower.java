package io.kvorum.discovery;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Keeps up with the instances below a prefix:
 *
 * <ol>
 *   <li>a serializable range gives the base; one that is older than what is known (another member, behind the last one) is asked for again linearizably, and that answer counts;
 *   <li>a watch goes on behind it, and is resumed where it was when its stream breaks;
 *   <li>where that was compacted, a fresh base.
 * </ol>
 *
 * <p>Whatever fails is tried again after a pause of {@link Backoff}, at the next endpoint. What is known stays known meanwhile. All methods and the listener run in the synchronization
 * context.
 */
final class PrefixFollower {
  /** For the base. */
  private static final long ANSWER_SECONDS = 5;

  /** A watch that has stood for so long has not failed at once. */
  private static final long CALM_SECONDS = 5;

  /** A base of some hundred thousand instances. */
  private static final int BASE_BYTES_MAX = 64 << 20;

  private static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

  /** Hears of what is found. */
  interface Listener {
    /** All instances, by key; for the first time when the base is there. */
    void changed(List<ServiceInstance> instances);

    /** The store cannot be asked at the moment; it goes on trying. */
    void failed(Status reason);

    /** The store answers again. */
    default void following() {}
  }

  private final Store store;
  private final ByteString prefix;
  private final SynchronizationContext context;
  private final ScheduledExecutorService timer;
  private final Backoff backoff;
  private final Listener listener;
  private TreeMap<String, ServiceInstance> known = new TreeMap<>();
  private boolean loaded;

  /** Of what is known. */
  private long revision;

  /** Counts the calls; answers of earlier ones are nobody's. */
  private int attempt;

  private ClientCallStreamObserver<WatchRequest> stream;
  private SynchronizationContext.ScheduledHandle calm;
  private boolean closed;

  /**
   * @param prefix ends with a slash
   * @param random for the pauses
   */
  PrefixFollower(
      Store store, String prefix, SynchronizationContext context, ScheduledExecutorService timer, RandomGenerator random, Listener listener) {
    this.store = store;
    this.prefix = ByteString.copyFromUtf8(prefix);
    this.context = context;
    this.timer = timer;
    this.backoff = new Backoff(random, Backoff.LAST_MILLIS);
    this.listener = listener;
  }

  /** Begins. */
  void start() {
    load(true);
  }

  /** Lets go; the listener hears nothing more. The store is its owner's. */
  void close() {
    closed = true;
    attempt++;
    endWatch();
  }

  private void load(boolean serializable) {
    int mine = ++attempt;
    Channel channel = store.channel();
    RangeRequest request = RangeRequest.newBuilder().setKey(prefix).setRangeEnd(endOf(prefix)).setSerializable(serializable).build();
    KVGrpc.newStub(channel)
        .withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS)
        .withMaxInboundMessageSize(BASE_BYTES_MAX)
        .range(
            request,
            new StreamObserver<RangeResponse>() {
              private RangeResponse answer;

              @Override
              public void onNext(RangeResponse response) {
                answer = response;
              }

              @Override
              public void onError(Throwable broken) {
                inTurn(mine, () -> again(channel, Status.fromThrowable(broken), () -> load(true)));
              }

              @Override
              public void onCompleted() {
                inTurn(mine, () -> take(answer, serializable));
              }
            });
  }

  private void inTurn(int mine, Runnable task) {
    context.execute(
        () -> {
          if (!closed && mine == attempt) {
            task.run();
          }
        });
  }

  private void take(RangeResponse base, boolean serializable) {
    if (serializable && loaded && base.getHeader().getRevision() < revision) {
      load(false);
      return;
    }
    TreeMap<String, ServiceInstance> found = new TreeMap<>();
    for (KeyValue pair : base.getKvsList()) {
      instance(pair).ifPresent(instance -> found.put(instance.key(), instance));
    }
    boolean news = !loaded || !found.equals(known);
    known = found;
    loaded = true;
    revision = base.getHeader().getRevision();
    if (news) {
      listener.changed(List.copyOf(known.values()));
    }
    watch();
  }

  private static Optional<ServiceInstance> instance(KeyValue pair) {
    return ServiceInstance.parse(pair.getKey().toStringUtf8(), pair.getValue().toStringUtf8());
  }

  private void watch() {
    int mine = ++attempt;
    Channel channel = store.channel();
    Metadata headers = new Metadata();
    // A member that has lost its cluster ends the stream, so that another one is asked.
    headers.put(HAS_LEADER, "true");
    WatchGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withMaxInboundMessageSize(BASE_BYTES_MAX)
        .watch(
            new ClientResponseObserver<WatchRequest, WatchResponse>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<WatchRequest> requests) {
                stream = requests;
              }

              @Override
              public void onNext(WatchResponse response) {
                inTurn(mine, () -> take(channel, response));
              }

              @Override
              public void onError(Throwable broken) {
                inTurn(mine, () -> again(channel, Status.fromThrowable(broken), PrefixFollower.this::watch));
              }

              @Override
              public void onCompleted() {
                inTurn(mine, () -> again(channel, Status.UNAVAILABLE.withDescription("the watch has ended"), PrefixFollower.this::watch));
              }
            });
    WatchCreateRequest create =
        WatchCreateRequest.newBuilder().setKey(prefix).setRangeEnd(endOf(prefix)).setStartRevision(revision + 1).setProgressNotify(true).build();
    stream.onNext(WatchRequest.newBuilder().setCreateRequest(create).build());
  }

  private void take(Channel channel, WatchResponse response) {
    if (response.getCanceled()) {
      if (response.getCompactRevision() > 0) {
        again(() -> load(true));
      } else {
        again(channel, Status.UNKNOWN.withDescription(response.getCancelReason()), () -> load(true));
      }
    } else if (response.getCreated()) {
      listener.following();
      calm = context.schedule(backoff::reset, CALM_SECONDS, TimeUnit.SECONDS, timer);
    } else if (response.getEventsCount() == 0) {
      revision = Math.max(revision, response.getHeader().getRevision());
    } else {
      boolean news = false;
      for (Event event : response.getEventsList()) {
        news |= take(event);
      }
      if (news) {
        listener.changed(List.copyOf(known.values()));
      }
    }
  }

  /** Whether it is news. What is no endpoint is no instance. */
  private boolean take(Event event) {
    revision = event.getKv().getModRevision();
    String key = event.getKv().getKey().toStringUtf8();
    ServiceInstance now = event.getType() == Event.EventType.DELETE ? null : instance(event.getKv()).orElse(null);
    ServiceInstance before = now == null ? known.remove(key) : known.put(key, now);
    return now == null ? before != null : !now.equals(before);
  }

  private void again(Channel channel, Status reason, Runnable next) {
    store.turn(channel);
    listener.failed(reason);
    again(next);
  }

  private void again(Runnable next) {
    int mine = ++attempt;
    endWatch();
    context.schedule(() -> inTurn(mine, next), backoff.nextMillis(), TimeUnit.MILLISECONDS, timer);
  }

  private void endWatch() {
    if (calm != null) {
      calm.cancel();
      calm = null;
    }
    if (stream != null) {
      stream.cancel("no longer needed", null);
      stream = null;
    }
  }

  /** The first key behind all with this prefix, which ends with a slash. */
  private static ByteString endOf(ByteString prefix) {
    return prefix.substring(0, prefix.size() - 1).concat(ByteString.copyFromUtf8("0"));
  }
}
