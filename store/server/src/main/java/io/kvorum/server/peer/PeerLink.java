package io.kvorum.server.peer;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.protocol.internal.ProbeRequest;
import io.kvorum.protocol.internal.ProbeResponse;
import io.kvorum.protocol.internal.RaftMessages;
import io.kvorum.protocol.internal.StreamEnd;
import io.kvorum.raft.Message;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.logging.Log;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The way to one other member: a connection, and on it one ordered stream of messages. Everything but {@link #offer} and the getters runs on the
 * transport's one thread.
 *
 * <pre>
 * DOWN ──dial──▶ CONNECTING ──accepted──▶ UP
 *  ▲                 │                     │
 *  └────retry────────┴──────broken─────────┘      closed from any
 * </pre>
 *
 * <p>A broken stream is opened again at once; a member that cannot be reached is tried every 50 to 200 ms, one that refuses us every second. With
 * several URLs, each try takes the next.
 */
final class PeerLink {
  private static final Log LOG = Log.of(PeerLink.class);
  private static final long RETRY_MILLIS_MIN = 50;
  private static final long RETRY_MILLIS_MAX = 200;
  private static final long REFUSED_MILLIS = 1_000;
  private static final long PROBE_MILLIS = 5_000;
  private static final int BATCH_MESSAGES = 256;
  private static final long BATCH_BYTES = 1 << 20;
  private static final CallOptions OPTIONS = CallOptions.DEFAULT.withWaitForReady().withOnReadyThreshold(1 << 20);

  private final long id;
  private final PeerIdentity self;
  private final PeerChannels channels;
  private final ScheduledExecutorService loop;
  private final PeerEvents events;
  private final PeerMeter meter;
  private final PeerMeter.Peer counts;
  private final Outbox outbox = new Outbox(System::nanoTime);

  private List<PeerUrls.Endpoint> endpoints = List.of();
  private int dialled;
  private volatile ManagedChannel channel;
  private Stream stream;
  private Future<?> retry;
  private long retryMillis = RETRY_MILLIS_MIN;
  private boolean complained;
  private boolean closed;
  /** When the stream came up, {@link System#nanoTime}; meaningful while {@code up}. */
  private volatile long upSinceNanos;
  private volatile boolean up;

  /** What a link has to tell. Called on the transport's thread. */
  interface PeerEvents {
    /** Messages were dropped; called by any thread. */
    void unreachable(long member);

    /** A stream that was up has ended, not by us. */
    void disconnected(long member);

    /** Whether proposals still belong to this member: it is the leader as far as is known. */
    boolean isLeader(long member);

    /** A proposal that was forwarded to a member that leads no more, and never sent. */
    void returned(Message proposal);

    /** The other side says that this member was removed. */
    void removed();
  }

  PeerLink(long id, PeerIdentity self, PeerChannels channels, ScheduledExecutorService loop, PeerEvents events, PeerMeter meter) {
    this.meter = meter;
    this.counts = meter.of(id);
    this.counts.known = true;
    this.id = id;
    this.self = self;
    this.channels = channels;
    this.loop = loop;
    this.events = events;
  }

  /** Takes a message for sending, or drops it and reports; any thread. */
  void offer(Message message) {
    switch (outbox.add(message)) {
      case SCHEDULE -> post(this::drain);
      case QUEUED -> {
        // A drain is on its way, or comes with the connection.
      }
      case DROPPED -> {
        counts.sentFailures.increment();
        if (message.type() == Message.Type.HEARTBEAT) {
          meter.heartbeatFailed();
        }
        events.unreachable(id);
      }
    }
  }

  /** Milliseconds since the stream came up, -1 when it is not; any thread. */
  long connectedMillis() {
    return up ? TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - upSinceNanos) : -1;
  }

  /** For single calls; null before the first dial. Any thread. */
  Channel channel() {
    return channel;
  }

  /** Where the member is reached at present, for a connection of one's own. */
  PeerUrls.Endpoint endpoint() {
    return endpoints.isEmpty() ? null : endpoints.get(Math.floorMod(dialled, endpoints.size()));
  }

  /** Sets where the member is; dials anew if the present address is no longer among the URLs. */
  void update(List<PeerUrls.Endpoint> newEndpoints) {
    if (closed || newEndpoints.equals(endpoints)) {
      return;
    }
    PeerUrls.Endpoint current = endpoint();
    endpoints = newEndpoints;
    if (channel != null && newEndpoints.contains(current)) {
      dialled = newEndpoints.indexOf(current);
      return;
    }
    dialled = 0;
    hangUp("the peer URLs changed");
    connect();
  }

  private void connect() {
    PeerUrls.Endpoint target = endpoint();
    if (closed || target == null) {
      return;
    }
    if (channel == null) {
      try {
        channel = channels.open(target);
      } catch (IllegalArgumentException e) {
        complain("cannot dial remote peer", e.getMessage());
        retryIn(REFUSED_MILLIS);
        return;
      }
    }
    if (stream == null) {
      stream = new Stream(channel.newCall(PeerGrpc.getMessagesMethod(), OPTIONS));
      stream.start();
    }
    retryIn(retryMillis);
  }

  private void retryIn(long millis) {
    if (retry != null) {
      retry.cancel(false);
    }
    retry = loop.schedule(this::retry, millis, TimeUnit.MILLISECONDS);
  }

  /** Until the stream is up: gRPC's own back-off grows to minutes, ours must find a restarted member at once. */
  private void retry() {
    if (closed || up) {
      return;
    }
    if (!events.isLeader(id)) {
      outbox.takeProposals().forEach(events::returned);
    }
    retryMillis = Math.min(RETRY_MILLIS_MAX, retryMillis * 2);
    if (channel != null && channel.getState(true) == ConnectivityState.TRANSIENT_FAILURE) {
      counts.sentFailures.increment();
      complain("prober detected unhealthy status; remote peer cannot be reached", "connection failed");
      if (endpoints.size() > 1) {
        hangUp("trying the next peer URL");
        dialled++;
      } else {
        channel.resetConnectBackoff();
      }
    }
    connect();
  }

  private void complain(String event, String error) {
    if (!complained) {
      complained = true;
      LOG.warn(event, "remote-peer-id", MemberIds.hex(id), "remote-peer-urls", endpoints, "error", error);
    }
  }

  private void drain() {
    outbox.draining();
    while (up && stream != null && stream.call.isReady()) {
      List<Message> batch = outbox.take(BATCH_MESSAGES, BATCH_BYTES);
      if (batch.isEmpty()) {
        return;
      }
      RaftMessages.Builder out = RaftMessages.newBuilder();
      batch.forEach(m -> out.addMessages(MessageCodec.encode(m)));
      RaftMessages messages = out.build();
      counts.sentBytes.add(messages.getSerializedSize());
      stream.call.sendMessage(messages);
    }
  }

  private void accepted(Stream which) {
    if (which != stream || up) {
      return;
    }
    upSinceNanos = System.nanoTime();
    up = true;
    counts.active = true;
    outbox.connected();
    complained = false;
    retryMillis = RETRY_MILLIS_MIN;
    LOG.info("established TCP streaming connection with remote peer", "local-member-id", MemberIds.hex(self.memberId()), "remote-peer-id", MemberIds.hex(id));
    drain();
    probe(which);
  }

  /** Measures a round trip now and every five seconds, as long as the stream is up. */
  private void probe(Stream which) {
    Channel to = channel;
    if (closed || which != stream || !up || to == null) {
      return;
    }
    ClientCall<ProbeRequest, ProbeResponse> call = to.newCall(PeerGrpc.getProbeMethod(), CallOptions.DEFAULT.withDeadlineAfter(PROBE_MILLIS, TimeUnit.MILLISECONDS));
    long began = System.nanoTime();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            if (status.isOk()) {
              counts.roundTrips.record(System.nanoTime() - began);
            }
          }
        },
        self.headers(id));
    call.sendMessage(ProbeRequest.getDefaultInstance());
    call.halfClose();
    call.request(2);
    loop.schedule(() -> probe(which), PROBE_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void ended(Stream which, Status status) {
    if (which != stream) {
      return;
    }
    stream = null;
    boolean wasUp = up;
    down();
    if (outbox.disconnected()) {
      counts.sentFailures.increment();
      events.unreachable(id);
    }
    String reason = status.getDescription() == null ? status.getCode().name() : status.getDescription();
    if (wasUp) {
      LOG.warn("lost TCP streaming connection with remote peer", "remote-peer-id", MemberIds.hex(id), "error", reason);
      events.disconnected(id);
    }
    if (status.getCode() == Status.Code.FAILED_PRECONDITION) {
      refused(reason);
    } else {
      retryIn(wasUp ? 0 : retryMillis);
    }
  }

  private void refused(String reason) {
    if (reason.equals(PeerIdentity.REMOVED)) {
      events.removed();
    } else if (reason.equals(PeerIdentity.CLUSTER_MISMATCH)) {
      complain("request sent was ignored by remote peer due to cluster ID mismatch", reason);
    } else {
      complain("request sent was ignored by remote peer", reason);
    }
    retryIn(REFUSED_MILLIS);
  }

  private void hangUp(String why) {
    Stream ending = stream;
    stream = null;
    down();
    outbox.disconnected();
    if (ending != null) {
      ending.call.cancel(why, null);
    }
    if (channel != null) {
      channel.shutdownNow();
      channel = null;
    }
  }

  private void down() {
    if (up) {
      counts.disconnects.increment();
    }
    up = false;
    counts.active = false;
  }

  /** Hangs up for good; nothing is reported any more. */
  void close() {
    closed = true;
    if (retry != null) {
      retry.cancel(false);
    }
    hangUp("closing");
  }

  private void post(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("the transport's thread has stopped");
    }
  }

  /** One attempt at the stream. Callbacks may come on several threads; they are moved to the transport's. */
  private final class Stream extends ClientCall.Listener<StreamEnd> {
    private final ClientCall<RaftMessages, StreamEnd> call;

    Stream(ClientCall<RaftMessages, StreamEnd> call) {
      this.call = call;
    }

    void start() {
      call.start(this, self.headers(id));
      call.request(2);
    }

    @Override
    public void onMessage(StreamEnd accepted) {
      post(() -> accepted(this));
    }

    @Override
    public void onReady() {
      post(PeerLink.this::drain);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      post(() -> ended(this, status));
    }
  }
}
