package io.kvorum.server.watch;

import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.server.apply.ChangeListener;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Brings applied changes to watchers. One thread owns all watchers and makes all calls on their streams; the raft thread and the event loops only put work
 * into its queue, so that the raft thread's part of a fan-out to any number of watchers is one queue entry per batch, and none while nobody watches.
 *
 * <p>Bounds: at most {@value #MAX_QUEUED_BYTES} bytes of changes wait; a batch that finds no room is not queued, its watchers find it in history. Requests
 * are bounded by the window that each stream has for them.
 */
public final class WatchHub implements ChangeListener, MetricSource, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(WatchHub.class.getName());
  static final long MAX_QUEUED_BYTES = 64L << 20;

  /** What one change costs beyond its encoding. */
  private static final int CHANGE_OVERHEAD_BYTES = 128;

  /** Commands between two slices of history. */
  private static final int COMMANDS_PER_ROUND = 256;

  private static final int FRAGMENT_OVERHEAD_BYTES = 512 << 10;
  private static final long STOP_MILLIS = 5_000;

  private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicLong queuedChanges = new AtomicLong();
  private final LongSupplier nanoClock;
  private final WatchBounds bounds;
  private final Supplier<WatchCore> cores;
  private final Thread thread;
  private volatile WatchCore core;
  private volatile long publishedRevision;
  private volatile long lostRevision;
  private volatile boolean parked;
  private volatile boolean running;

  /**
   * Ready to hear of changes; delivers once {@link #start}ed.
   *
   * @param store the open store; its present revision is where watching begins
   * @param headers makes a response header with a given revision ({@link Kernel#header(long)}); not called before {@link #start}
   * @param limits for the progress interval and the size above which responses are split (max-request-bytes + 512 KiB)
   * @param nanoClock monotonic
   * @param random spreads progress notifications
   */
  public WatchHub(MvccStore store, LongFunction<ResponseHeader> headers, Limits limits, LongSupplier nanoClock, RandomGenerator random) {
    this.nanoClock = nanoClock;
    this.bounds = WatchBounds.standard((long) limits.maxRequestBytes() + FRAGMENT_OVERHEAD_BYTES);
    long intervalNanos = TimeUnit.MILLISECONDS.toNanos(limits.watchProgressMillis());
    this.cores = () -> new WatchCore(store, headers, bounds, new ProgressTimer(intervalNanos, random));
    this.core = cores.get();
    this.publishedRevision = store.revision();
    this.thread = Thread.ofPlatform().name("watch").daemon().unstarted(this::run);
  }

  /** As the other constructor, from a running member's parts, with the system's clock. */
  public WatchHub(Kernel kernel, RandomGenerator random) {
    this(kernel.store(), kernel::header, kernel.limits(), System::nanoTime, random);
  }

  public void start() {
    running = true;
    thread.start();
  }

  @Override
  public void published(long revision, List<Change> changes) {
    long previous = publishedRevision;
    if (revision == previous) {
      return;
    }
    publishedRevision = revision;
    if (core.watcherCount() == 0) {
      return;
    }
    long bytes = 0;
    for (Change change : changes) {
      bytes += change.encoded().length + CHANGE_OVERHEAD_BYTES;
    }
    if (queuedBytes.get() > 0 && queuedBytes.get() + bytes > MAX_QUEUED_BYTES) {
      lostRevision = revision;
      return;
    }
    long charged = bytes;
    queuedBytes.addAndGet(charged);
    queuedChanges.addAndGet(changes.size());
    submit(
        () -> {
          queuedBytes.addAndGet(-charged);
          queuedChanges.addAndGet(-changes.size());
          core.published(previous, revision, changes);
        });
  }

  @Override
  public void compacted(long compactRevision) {
    if (core.behindCount() > 0) {
      submit(() -> core.compacted(compactRevision));
    }
  }

  @Override
  public void replaced(long revision) {
    publishedRevision = revision;
    submit(() -> core.lost(revision));
  }

  /** The store holds something else from now on: whoever had not seen all changes up to this revision is cancelled as compacted. */
  public void rebased(long revision) {
    publishedRevision = revision;
    submit(() -> core.rebased(revision));
  }

  /**
   * Ends all streams.
   *
   * @param then run on the watch thread once none is left, at once when it has ended
   */
  public void endAll(Status reason, Runnable then) {
    if (!running) {
      then.run();
      return;
    }
    submit(
        () -> {
          core.closeAll(reason);
          then.run();
        });
  }

  /** Watchers, cancelled ones that still hold their id included. */
  public int watchers() {
    return core.watcherCount();
  }

  /** Watchers that are reading history, because they began in the past or their client is slow. */
  public int slowWatchers() {
    return core.behindCount();
  }

  public int streams() {
    return core.streamCount();
  }

  /** Events handed to streams since the start. */
  public long events() {
    return core.eventCount();
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.", watchers())
        .gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.", streams())
        .gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.", slowWatchers())
        .gauge("etcd_debugging_mvcc_pending_events_total", "Total number of pending events to be sent.", queuedChanges.get())
        .gauge("kvorum_watch_queued_bytes", "Bytes of changes that wait for the watch thread.", queuedBytes.get())
        .counter("etcd_debugging_mvcc_events_total", "Total number of events sent by this member.", events());
  }

  boolean running() {
    return running;
  }

  WatchStream open(WatchSink sink) {
    WatchStream stream = new WatchStream(sink, bounds);
    submit(() -> core.open(stream));
    return stream;
  }

  /** The call of this stream is over. */
  void closed(WatchStream stream) {
    submit(() -> core.close(stream, null));
  }

  void ready(WatchStream stream) {
    submit(stream::drain);
  }

  /** @param refusal why the caller may not watch this, null when it may */
  void create(WatchStream stream, WatchCreateRequest request, String refusal) {
    request(stream, () -> createNow(stream, request, refusal, 0));
  }

  void cancel(WatchStream stream, long watchId) {
    request(stream, () -> core.cancel(stream, watchId));
  }

  void progress(WatchStream stream) {
    request(stream, () -> core.progress(stream));
  }

  /** On the watch thread; see {@link WatchCore#create}. */
  void createNow(WatchStream stream, WatchCreateRequest request, String refusal, long shown) {
    core.create(stream, request, refusal, () -> publishedRevision, nanoClock.getAsLong(), shown);
  }

  /** What to call on the watch thread alone; another one after a failure. */
  WatchCore core() {
    return core;
  }

  /** A request of a kind that is not known: no answer. */
  void unknown(WatchStream stream) {
    request(stream, () -> {});
  }

  private void request(WatchStream stream, Runnable action) {
    submit(
        () -> {
          if (!stream.closed()) {
            action.run();
            stream.requestDone();
          }
        });
  }

  void submit(Runnable command) {
    queue.add(command);
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (running) {
      try {
        round();
      } catch (RuntimeException | Error e) {
        // Clients resume at their own revision, so ending every stream loses nothing, whereas going on from a half-made step could.
        LOG.log(System.Logger.Level.ERROR, "watch delivery failed; all watch streams are ended", e);
        WatchCore failed = core;
        core = cores.get();
        failed.closeAll(EtcdError.SERVER_STOPPED.status());
      }
    }
    for (Runnable left = queue.poll(); left != null; left = queue.poll()) {
      left.run();
    }
    // Unavailable, as when a connection breaks: clients resume elsewhere. At "watch canceled" they would give up.
    core.closeAll(EtcdError.SERVER_STOPPED.status());
  }

  private void round() {
    int count = 0;
    Runnable command = null;
    while (count++ < COMMANDS_PER_ROUND && (command = queue.poll()) != null) {
      command.run();
    }
    if (command == null && lostRevision > core.revision()) {
      core.lost(lostRevision);
    }
    boolean more = core.catchUp();
    long wait = core.tick(nanoClock.getAsLong());
    if (!more && queue.isEmpty()) {
      park(wait);
    }
  }

  private void park(long nanos) {
    parked = true;
    if (queue.isEmpty() && running) {
      LockSupport.parkNanos(this, nanos);
    }
    parked = false;
  }

  /** Ends all streams with {@code etcdserver: server stopped} and the thread. */
  @Override
  public void close() {
    if (!running) {
      return;
    }
    running = false;
    LockSupport.unpark(thread);
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
