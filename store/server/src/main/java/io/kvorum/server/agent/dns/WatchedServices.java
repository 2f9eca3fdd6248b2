package io.kvorum.server.agent.dns;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
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
import io.kvorum.server.agent.registration.RegistrationSettings;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The services under a prefix, read once and then kept by one watch.
 *
 * <ol>
 *   <li>All entries are read in pages of {@value #PAGE_KEYS} at one revision, and take the place of what was known.
 *   <li>A watch from the next revision on brings each change.
 *   <li>The watch breaks: what is known stays as it is, and another watch goes on at the same place, after pauses that double from 100 ms to 5 s. When that place was compacted meanwhile, all is read
 *       again; a member that is behind what is known is asked again.
 *   <li>The user may not read the services (any more): nothing is known, and it is tried again at the same pace. A watch that was created once does not show that, so one key is asked for
 *       every {@value #LOOK_SECONDS} s.
 * </ol>
 */
public final class WatchedServices implements ServiceTable, MetricSource, AutoCloseable {
  static final int PAGE_KEYS = 1_000;
  static final long LOOK_SECONDS = 5;

  /** A page of entries of a usual size takes a hundredth of it; what is larger is no answer, and nothing is known. */
  private static final int MESSAGE_BYTES_MAX = 64 << 20;

  private static final long PAUSE_MIN_MILLIS = 100;
  private static final long PAUSE_MAX_MILLIS = 5_000;
  private static final int DOUBLINGS_MAX = 10;
  private static final long CALL_SECONDS = 10;
  private static final List<EtcdError> REFUSALS =
      List.of(EtcdError.PERMISSION_DENIED, EtcdError.INVALID_AUTH_TOKEN, EtcdError.USER_NAME_IS_EMPTY, EtcdError.AUTHENTICATION_FAILED);
  /** A member without a leader refuses what carries this, instead of keeping silent about what it cannot know. */
  private static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);
  private static final Log LOG = Log.of(WatchedServices.class);

  private final Channel led;
  private final String prefix;
  private final ByteString begin;
  private final ByteString end;
  private final ScheduledExecutorService timer;
  private final RandomGenerator random;
  private final SynchronizationContext queue = new SynchronizationContext((thread, failure) -> LOG.error("watching the services failed unexpectedly", failure));
  private final ServiceMap services;
  private final LongAdder passedOver = new LongAdder();
  private final LongAdder resyncs = new LongAdder();
  private Context.CancellableContext attempt;
  private long revision;
  private boolean listed;
  private int failures;
  private boolean closed;
  private volatile boolean watching;

  /**
   * @param channel to the cluster, or to the agent's own copy of it
   * @param prefix under which services are; a slash at its end is added where it has none
   * @param timer wakes it; nothing blocks there
   * @param random spreads retries
   */
  public WatchedServices(Channel channel, String prefix, ScheduledExecutorService timer, RandomGenerator random) {
    Metadata headers = new Metadata();
    headers.put(HAS_LEADER, "true");
    this.led = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    this.prefix = RegistrationSettings.withSlash(prefix);
    this.begin = this.prefix.isEmpty() ? ByteString.copyFrom(new byte[1]) : ByteString.copyFromUtf8(this.prefix);
    // A slash is followed by a zero.
    this.end =
        this.prefix.isEmpty() ? ByteString.copyFrom(new byte[1]) : ByteString.copyFromUtf8(this.prefix.substring(0, this.prefix.length() - 1) + (char) ('/' + 1));
    this.timer = timer;
    this.random = random;
    this.services = new ServiceMap(this.prefix);
  }

  /** Begins to read. Once. */
  public void start() {
    queue.execute(this::begin);
  }

  private void begin() {
    if (closed) {
      return;
    }
    attempt = Context.ROOT.withCancellation();
    Context.CancellableContext mine = attempt;
    if (listed) {
      mine.run(() -> watch(mine));
    } else {
      read(mine, begin, 0, new ServiceMap(prefix));
    }
  }

  private void read(Context.CancellableContext mine, ByteString from, long at, ServiceMap into) {
    RangeRequest page = RangeRequest.newBuilder().setKey(from).setRangeEnd(end).setLimit(PAGE_KEYS).setRevision(at).setSerializable(true).build();
    range(mine, page, new Answers<>(mine, answer -> pageRead(mine, answer, at, into), false));
  }

  private void range(Context.CancellableContext mine, RangeRequest request, StreamObserver<RangeResponse> answers) {
    mine.run(() -> KVGrpc.newStub(led).withMaxInboundMessageSize(MESSAGE_BYTES_MAX).withDeadline(Deadline.after(CALL_SECONDS, TimeUnit.SECONDS)).range(request, answers));
  }

  /** Other failures than a refusal are the watch's to notice. */
  private void look(Context.CancellableContext mine) {
    if (attempt != mine || closed) {
      return;
    }
    RangeRequest first = RangeRequest.newBuilder().setKey(begin).setRangeEnd(end).setLimit(1).setKeysOnly(true).setSerializable(true).build();
    range(
        mine,
        first,
        new StreamObserver<>() {
          @Override
          public void onNext(RangeResponse permitted) {
            // Nothing has changed.
          }

          @Override
          public void onError(Throwable failure) {
            Status status = Status.fromThrowable(failure);
            queue.execute(() -> lookedInVain(mine, status));
          }

          @Override
          public void onCompleted() {
            queue.execute(() -> lookLater(mine));
          }
        });
  }

  private void lookedInVain(Context.CancellableContext mine, Status status) {
    if (isRefusal(status)) {
      failed(mine, status);
    } else {
      lookLater(mine);
    }
  }

  private void lookLater(Context.CancellableContext mine) {
    if (attempt == mine && !closed) {
      queue.schedule(() -> look(mine), LOOK_SECONDS, TimeUnit.SECONDS, timer);
    }
  }

  private void pageRead(Context.CancellableContext mine, RangeResponse page, long at, ServiceMap into) {
    long of = at == 0 ? page.getHeader().getRevision() : at;
    if (of < revision) {
      failed(mine, Status.UNAVAILABLE.withDescription("the member is behind"));
      return;
    }
    for (KeyValue pair : page.getKvsList()) {
      take(into, pair);
    }
    if (page.getMore() && page.getKvsCount() > 0) {
      read(mine, page.getKvs(page.getKvsCount() - 1).getKey().concat(ByteString.copyFrom(new byte[1])), of, into);
      return;
    }
    services.replace(into);
    services.reached(of);
    revision = of;
    listed = true;
    resyncs.increment();
    mine.run(() -> watch(mine));
  }

  private void take(ServiceMap into, KeyValue pair) {
    if (!into.put(pair.getKey(), pair.getValue())) {
      passedOver.increment();
      LOG.debug("no service of DNS", "key", pair.getKey().toStringUtf8());
    }
  }

  private void watch(Context.CancellableContext mine) {
    WatchCreateRequest create = WatchCreateRequest.newBuilder().setKey(begin).setRangeEnd(end).setStartRevision(revision + 1).setProgressNotify(true).build();
    StreamObserver<WatchRequest> requests =
        WatchGrpc.newStub(led).withMaxInboundMessageSize(MESSAGE_BYTES_MAX).watch(new Answers<>(mine, answer -> watched(mine, answer), true));
    requests.onNext(WatchRequest.newBuilder().setCreateRequest(create).build());
    lookLater(mine);
  }

  private void watched(Context.CancellableContext mine, WatchResponse response) {
    if (response.getCanceled()) {
      if (response.getCompactRevision() > 0) {
        listed = false;
        LOG.info("the services are read again", "reason", "compacted", "revision", revision, "compacted", response.getCompactRevision());
      }
      failed(mine, Status.UNAVAILABLE.withDescription(response.getCancelReason()));
      return;
    }
    failures = 0;
    watching = true;
    for (Event event : response.getEventsList()) {
      if (event.getType() == Event.EventType.DELETE) {
        services.delete(event.getKv().getKey());
      } else {
        take(services, event.getKv());
      }
      revision = Math.max(revision, event.getKv().getModRevision());
    }
    if (response.getEventsCount() == 0 && !response.getCreated()) {
      revision = Math.max(revision, response.getHeader().getRevision());
    }
    services.reached(revision);
  }

  private void failed(Context.CancellableContext mine, Status status) {
    if (attempt != mine || closed) {
      return;
    }
    attempt = null;
    mine.cancel(null);
    watching = false;
    failures++;
    String reason = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
    if (isRefusal(status)) {
      services.forget();
      listed = false;
      revision = 0;
    } else if (status.getCode() == Status.Code.OUT_OF_RANGE) {
      listed = false;
    }
    if (Integer.bitCount(failures) == 1) {
      LOG.warn("the services are not watched", "reason", reason, "times", failures, "known", services.isKnown());
    }
    long pause = Math.min(PAUSE_MAX_MILLIS, PAUSE_MIN_MILLIS << Math.min(failures - 1, DOUBLINGS_MAX));
    queue.schedule(this::begin, pause / 2 + random.nextLong(pause / 2 + 1), TimeUnit.MILLISECONDS, timer);
  }

  /** Watches say it in the words of their cancellation. */
  private static boolean isRefusal(Status status) {
    String text = String.valueOf(status.getDescription());
    return status.getCode() == Status.Code.PERMISSION_DENIED || REFUSALS.stream().anyMatch(refusal -> text.contains(refusal.text()));
  }

  @Override
  public boolean isKnown() {
    return services.isKnown();
  }

  @Override
  public List<ServiceInstance> instances(String service) {
    return services.instances(service);
  }

  @Override
  public long serial() {
    return services.serial();
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("kvorum_agent_dns_services", "Services that DNS knows.", services.services())
        .gauge("kvorum_agent_dns_instances", "Instances that DNS knows.", services.size())
        .gauge("kvorum_agent_dns_watching", "Whether changes of the services arrive; DNS answers what it last knew while they do not.", watching ? 1 : 0)
        .counter("kvorum_agent_dns_resyncs_total", "How often all services were read.", resyncs.sum())
        .counter("kvorum_agent_dns_entries_passed_over_total", "Changes of entries that DNS cannot tell of: no label, no address, or too many.", passedOver.sum());
  }

  @Override
  public void close() {
    queue.execute(
        () -> {
          closed = true;
          if (attempt != null) {
            attempt.cancel(null);
          }
        });
  }

  /** Brings answers of one attempt to the queue; those of an earlier one are of no interest any more. */
  private final class Answers<A> implements StreamObserver<A> {
    private final Context.CancellableContext mine;
    private final Consumer<A> action;
    private final boolean endless;
    private boolean answered;

    Answers(Context.CancellableContext mine, Consumer<A> action, boolean endless) {
      this.mine = mine;
      this.action = action;
      this.endless = endless;
    }

    @Override
    public void onNext(A answer) {
      queue.execute(
          () -> {
            answered = true;
            if (attempt == mine && !closed) {
              action.accept(answer);
            }
          });
    }

    @Override
    public void onError(Throwable failure) {
      queue.execute(() -> failed(mine, Status.fromThrowable(failure)));
    }

    @Override
    public void onCompleted() {
      queue.execute(
          () -> {
            if (!answered || endless) {
              failed(mine, Status.UNAVAILABLE.withDescription("ended by the server"));
            }
          });
    }
  }
}
