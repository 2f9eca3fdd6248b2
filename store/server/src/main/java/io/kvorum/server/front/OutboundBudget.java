package io.kvorum.server.front;

import io.grpc.Attributes;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import io.netty.channel.Channel;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Bounds the bytes of answers that their readers have not taken. An answer is encoded as a whole and waits in the buffers of its connection, so a reader that takes
 * nothing costs as much as it asked for.
 *
 * <ul>
 *   <li>A connection above {@link #CONNECTION_BYTES} waits with its next calls that may have large answers, and above {@link #CONNECTION_BYTES_MAX} with all, until its
 *       reader has taken some; each answer that was begun before still comes.
 *   <li>All together hold no more than a given total: an answer to a read that does not fit is refused, unless it is the only one; small ones have a quarter more.
 *   <li>When one is refused, connections that are too slow are closed: those whose oldest large answer has waited ten seconds, and a second for each mebibyte they hold.
 * </ul>
 */
public final class OutboundBudget implements MetricSource {
  /** Where gRPC's transport says which connection a call has come on. */
  public static final Attributes.Key<Connection> CONNECTION = Attributes.Key.create("kvorum-outbound");

  public static final long CONNECTION_BYTES = 32L << 20;
  public static final long CONNECTION_BYTES_MAX = 4 * CONNECTION_BYTES;

  static final long SMALL_BYTES = 64 << 10;
  static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(10);
  static final long SLOW_NANOS_PER_MEBIBYTE = TimeUnit.SECONDS.toNanos(1);

  private static final Log LOG = Log.of(OutboundBudget.class);
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final long totalBytes;
  private final LongSupplier nanoTime;
  private final AtomicLong held = new AtomicLong();
  private final AtomicLong looked;
  private final LongAdder refused = new LongAdder();
  private final LongAdder closed = new LongAdder();
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();

  public OutboundBudget(long totalBytes, LongSupplier nanoTime) {
    this.totalBytes = totalBytes;
    this.nanoTime = nanoTime;
    this.looked = new AtomicLong(nanoTime.getAsLong() - LOOK_NANOS);
  }

  /** For a new connection, until it closes. */
  Connection connect(Channel channel) {
    Connection connection =
        connect(String.valueOf(channel.remoteAddress()), () -> channel.eventLoop().execute(() -> channel.pipeline().firstContext().close()));
    channel.closeFuture().addListener(done -> connections.remove(connection));
    return connection;
  }

  Connection connect(String remote, Runnable close) {
    Connection connection = new Connection(remote, close);
    connections.add(connection);
    return connection;
  }

  long heldBytes() {
    return held.get();
  }

  private boolean take(long bytes) {
    long limit = bytes <= SMALL_BYTES ? totalBytes + totalBytes / 4 : totalBytes;
    long now = held.addAndGet(bytes);
    if (now <= limit || now == bytes) {
      return true;
    }
    held.addAndGet(-bytes);
    refused.increment();
    closeSlow();
    return false;
  }

  private void closeSlow() {
    long now = nanoTime.getAsLong();
    long last = looked.get();
    if (now - last < LOOK_NANOS || !looked.compareAndSet(last, now)) {
      return;
    }
    for (Connection connection : connections) {
      if (connection.isSlow(now)) {
        closed.increment();
        LOG.warn("closed a client connection that is too slow for its answers", "remote-addr", connection.remote, "held-bytes", connection.bytes.get());
        connection.close.run();
      }
    }
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("kvorum_client_answers_held_bytes", "Bytes of answers that clients have not taken yet.", held.get());
    out.counter("kvorum_client_answers_refused_total", "Answers that were refused because too many bytes are held.", refused.sum());
    out.counter("kvorum_client_slow_connections_closed_total", "Connections closed because their readers are too slow.", closed.sum());
  }

  /** What one connection's reader has not taken. Any thread. */
  public final class Connection {
    private final String remote;
    private final Runnable close;
    private final AtomicLong bytes = new AtomicLong();
    private final LinkedHashSet<Held> large = new LinkedHashSet<>();
    private final LinkedHashSet<Runnable> waiting = new LinkedHashSet<>();
    private boolean draining;

    private Connection(String remote, Runnable close) {
      this.remote = remote;
      this.close = close;
    }

    /**
     * Whether a call may go on now; else it is run when the reader has taken enough, on the thread that learns of it.
     *
     * @param mayBeLarge its answer
     */
    public synchronized boolean admits(boolean mayBeLarge, Runnable call) {
      if (bytes.get() <= (mayBeLarge ? CONNECTION_BYTES : CONNECTION_BYTES_MAX)) {
        return true;
      }
      waiting.add(call);
      return false;
    }

    /** A call that waits is not to be made any more. */
    public synchronized void forget(Runnable call) {
      waiting.remove(call);
    }

    /** Holds the bytes of an answer, whatever there is. */
    public Held hold(long size) {
      held.addAndGet(size);
      return holding(size);
    }

    /** Holds the bytes of an answer; null when there is no room in all. */
    public Held tryHold(long size) {
      return take(size) ? holding(size) : null;
    }

    private Held holding(long size) {
      Held answer = new Held(this, size, nanoTime.getAsLong());
      bytes.addAndGet(size);
      if (size > SMALL_BYTES) {
        synchronized (this) {
          large.add(answer);
        }
      }
      return answer;
    }

    private synchronized boolean isSlow(long now) {
      return !large.isEmpty() && now - large.getFirst().since > SLOW_NANOS + (bytes.get() >> 20) * SLOW_NANOS_PER_MEBIBYTE;
    }

    private void taken(Held answer) {
      held.addAndGet(-answer.size);
      bytes.addAndGet(-answer.size);
      if (answer.size > SMALL_BYTES) {
        synchronized (this) {
          large.remove(answer);
        }
      }
      drain();
    }

    private void drain() {
      for (Runnable next = begin(); next != null; next = begin()) {
        try {
          next.run();
        } finally {
          end();
        }
      }
    }

    /** One at a time: what is run may come back here. */
    private synchronized Runnable begin() {
      if (draining || waiting.isEmpty() || bytes.get() > CONNECTION_BYTES) {
        return null;
      }
      draining = true;
      return waiting.removeFirst();
    }

    private synchronized void end() {
      draining = false;
    }
  }

  /** Bytes of one answer, until they are taken. */
  public static final class Held {
    private final Connection connection;
    private final long size;
    private final long since;
    private final AtomicBoolean released = new AtomicBoolean();

    private Held(Connection connection, long size, long since) {
      this.connection = connection;
      this.size = size;
      this.since = since;
    }

    /** The reader has taken the answer, or is gone. */
    public void release() {
      if (released.compareAndSet(false, true)) {
        connection.taken(this);
      }
    }
  }
}
