package io.kvorum.server.kv;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.EtcdError;
import java.lang.System.Logger.Level;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Open streams whose callers want to hear when there is no leader. Once in an election timeout the member's leader is looked up; after three times without one each stream is
 * closed with NO_LEADER and its service is told that it was cancelled.
 */
public final class LeaderlessStreams {
  private static final System.Logger LOG = System.getLogger(LeaderlessStreams.class.getName());
  private static final int TIMEOUTS_MAX = 3;

  private final Supplier<RaftStatus> raft;
  private final Set<Guarded<?, ?>> open = ConcurrentHashMap.newKeySet();
  private int leaderless;

  public LeaderlessStreams(Supplier<RaftStatus> raft) {
    this.raft = raft;
  }

  /**
   * Begins to look.
   *
   * @param electionMillis the election timeout
   */
  public LeaderlessStreams start(ScheduledExecutorService timer, int electionMillis) {
    timer.scheduleWithFixedDelay(this::look, electionMillis, electionMillis, TimeUnit.MILLISECONDS);
    return this;
  }

  /** One look; called by one timer. */
  void look() {
    leaderless = raft.get().leader() == 0 ? leaderless + 1 : 0;
    if (leaderless >= TIMEOUTS_MAX) {
      open.forEach(Guarded::cancel);
    }
  }

  int size() {
    return open.size();
  }

  <Q, R> ServerCall.Listener<Q> startCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Guarded<Q, R> guarded = new Guarded<>(call);
    guarded.listener = next.startCall(guarded, headers);
    guarded.opened();
    return guarded.new Callbacks();
  }

  /** One stream: what its service sends and our own closing exclude each other, and its callbacks keep their order although we add one. */
  private final class Guarded<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final Queue<Runnable> callbacks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private ServerCall.Listener<Q> listener;
    private boolean closed;
    private boolean ended;
    /** Set before our own closing: gRPC reports that as an ordinary end, perhaps sooner than we do, but for the service it is a cancellation. */
    private volatile boolean cancelled;

    Guarded(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        open.remove(this);
        super.close(status, trailers);
      }
    }

    synchronized void opened() {
      if (!closed) {
        open.add(this);
      }
    }

    void cancel() {
      cancelled = true;
      close(EtcdError.NO_LEADER.status(), new Metadata());
      callback(() -> end(listener::onCancel));
    }

    /** The service hears of one end only, and of nothing behind it. */
    private void end(Runnable how) {
      if (!ended) {
        ended = true;
        open.remove(this);
        how.run();
      }
    }

    private void unlessEnded(Runnable callback) {
      callback(
          () -> {
            if (!ended) {
              callback.run();
            }
          });
    }

    /** Runs it now, or leaves it to the thread that is in a callback. */
    private void callback(Runnable callback) {
      callbacks.add(callback);
      if (queued.getAndIncrement() != 0) {
        return;
      }
      do {
        try {
          callbacks.poll().run();
        } catch (RuntimeException broken) {
          LOG.log(Level.WARNING, "a stream's service failed", broken);
          close(Status.UNKNOWN, new Metadata());
          ended = true;
        }
      } while (queued.decrementAndGet() != 0);
    }

    private final class Callbacks extends ServerCall.Listener<Q> {
      @Override
      public void onMessage(Q message) {
        unlessEnded(() -> listener.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        unlessEnded(listener::onHalfClose);
      }

      @Override
      public void onReady() {
        unlessEnded(listener::onReady);
      }

      @Override
      public void onCancel() {
        callback(() -> end(listener::onCancel));
      }

      @Override
      public void onComplete() {
        callback(() -> end(cancelled ? listener::onCancel : listener::onComplete));
      }
    }
  }
}
