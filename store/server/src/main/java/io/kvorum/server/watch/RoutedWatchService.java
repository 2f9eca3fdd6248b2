package io.kvorum.server.watch;

import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code etcdserverpb.Watch} for callers some of whose watches can be answered from the store at hand: those are the hub's, the others go over one stream elsewhere for each
 * stream here. To the caller both are watches of one stream, with ids from one counter and answers in the order of its requests.
 */
public final class RoutedWatchService implements BindableService, MetricSource {
  private static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

  /** Decides where a watch goes; asked on the watch thread, must not block. */
  public interface Routing {
    /** Whether the store at hand has, and will have, all that a watch asks for. */
    boolean local(WatchCreateRequest request);

    /** Newest revision that callers may have seen. */
    long shown();

    /** A caller is being told of this revision by a relayed watch. */
    void told(long revision);

    /**
     * Runs something, on any thread, once the store at hand has a revision; never, if that takes too long.
     *
     * @param revision at once when it is there already
     */
    void reach(long revision, Runnable then);

    /** Whether callers who want to be told are to be told that there is no leader. */
    boolean leaderless();
  }

  private final WatchHub hub;
  private final Routing routing;
  private final Channel elsewhere;
  private final ScheduledExecutorService timer;

  /** Watch thread only. */
  private final Set<RoutedStream> withLeader = new LinkedHashSet<>();

  private final AtomicInteger relayed = new AtomicInteger();

  /**
   * @param hub the started hub of the store at hand
   * @param elsewhere where other watches go
   * @param timer for short tasks
   */
  public RoutedWatchService(WatchHub hub, Routing routing, Channel elsewhere, ScheduledExecutorService timer) {
    this.hub = hub;
    this.routing = routing;
    this.elsewhere = elsewhere;
    this.timer = timer;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(WatchGrpc.SERVICE_NAME).addMethod(WatchService.WATCH, this::start).build();
  }

  /** Ends the streams of callers who want to be told that there is no leader. */
  public void endLeaderless() {
    hub.submit(() -> List.copyOf(withLeader).forEach(stream -> stream.end(EtcdError.NO_LEADER.status())));
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("kvorum_agent_relayed_watchers", "Watchers of local callers that are served by the cluster.", relayed.get());
  }

  private ServerCall.Listener<WatchRequest> start(ServerCall<WatchRequest, WatchMessage> call, Metadata headers) {
    boolean hasLeader = "true".equals(headers.get(HAS_LEADER));
    Status refusal = !hub.running() ? EtcdError.SERVER_STOPPED.status() : hasLeader && routing.leaderless() ? EtcdError.NO_LEADER.status() : null;
    if (refusal != null) {
      call.close(refusal, new Metadata());
      return new ServerCall.Listener<>() {};
    }
    Metadata onward = new Metadata();
    if (hasLeader) {
      onward.put(HAS_LEADER, "true");
    }
    call.sendHeaders(new Metadata());
    RoutedSink sink = new RoutedSink(new CallSink(call));
    WatchStream stream = hub.open(sink);
    RoutedStream routed = new RoutedStream(hub, stream, routing, new WatchRelay.Opener(elsewhere, onward, hub), timer, relayed);
    hub.submit(
        () -> {
          sink.routed = routed;
          if (stream.closed()) {
            routed.ended();
          } else if (hasLeader) {
            withLeader.add(routed);
          }
        });
    call.request(WatchStream.REQUEST_WINDOW);
    return new Requests(routed, stream);
  }

  /** The client's side of one stream, heard on its event loop. */
  private final class Requests extends ServerCall.Listener<WatchRequest> {
    private final RoutedStream routed;
    private final WatchStream stream;

    Requests(RoutedStream routed, WatchStream stream) {
      this.routed = routed;
      this.stream = stream;
    }

    @Override
    public void onMessage(WatchRequest request) {
      hub.submit(() -> routed.arrived(request));
    }

    @Override
    public void onReady() {
      hub.ready(stream);
    }

    @Override
    public void onCancel() {
      over();
    }

    @Override
    public void onComplete() {
      over();
    }

    private void over() {
      hub.closed(stream);
      hub.submit(() -> forget(routed));
    }
  }

  private void forget(RoutedStream routed) {
    withLeader.remove(routed);
    routed.ended();
  }

  /** Notices when the hub ends a stream. */
  private final class RoutedSink implements WatchSink {
    private final WatchSink call;
    private RoutedStream routed;

    RoutedSink(WatchSink call) {
      this.call = call;
    }

    @Override
    public boolean isReady() {
      return call.isReady();
    }

    @Override
    public void send(WatchMessage message) {
      call.send(message);
    }

    @Override
    public void request(int count) {
      call.request(count);
    }

    @Override
    public void close(Status status) {
      call.close(status);
      if (routed != null) {
        forget(routed);
      }
    }
  }
}
