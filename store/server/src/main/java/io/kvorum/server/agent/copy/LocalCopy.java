package io.kvorum.server.agent.copy;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.apply.ChangeListener;
import io.kvorum.server.base.Limits;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import io.kvorum.server.watch.RoutedWatchService;
import io.kvorum.server.watch.WatchHub;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * A copy of the mirrored prefixes of a cluster, with the cluster's revisions and the recent history, fed by one stream of watches whatever the number of its readers. See
 * {@link Follower} for how it is kept.
 *
 * <p>Memory: at most {@code maxBytes} of encoded pairs and history in files (mapped, so the system may drop them from memory), and on the heap an index of some 50 bytes and the key
 * for each. While a fresh base is read its pairs are on the heap, and the content before stays until the base has taken its place.
 */
public final class LocalCopy implements MetricSource, AutoCloseable {
  private static final long TICK_MILLIS = 1_000;

  /** As a member has them that nobody told otherwise; only what concerns watches is used. */
  private static final Limits LIMITS = new Limits(1_572_864, 128, 100, 1_000, 0, 600_000);

  private final Settings settings;
  private final List<Span> spans;
  private final ScheduledExecutorService timer;
  private final LongSupplier nanoClock;
  private final CopyStore store = new CopyStore();
  private final CopyCounters counters = new CopyCounters();
  private final List<ChangeListener> listeners = new CopyOnWriteArrayList<>();
  private final CopyLoop loop;
  private final Follower follower;
  private final WatchHub hub;
  private final Channel upstream;
  private volatile State state = new State.Loading();
  private volatile RoutedWatchService watches;
  private volatile LongConsumer told = revision -> {};
  private ScheduledFuture<?> ticking;

  /**
   * @param directory for the files of the copy alone; what an earlier copy left there is deleted
   * @param prefixes of the keys that are mirrored, 1 to 128; the empty one means all keys
   * @param maxBytes of encoded pairs and history. When the live pairs alone take more than seven eighths of it, there is no copy, and another attempt every five minutes
   * @param historyRevisions how many mirrored revisions stay readable behind the newest one (512 at least, and an eighth more at times)
   */
  public record Settings(Path directory, List<ByteString> prefixes, long maxBytes, long historyRevisions) {
    public Settings {
      prefixes = List.copyOf(prefixes);
      if (prefixes.isEmpty() || prefixes.size() > Heartbeat.SPANS_MAX) {
        throw new IllegalArgumentException("1 to " + Heartbeat.SPANS_MAX + " prefixes can be mirrored, not " + prefixes.size());
      }
    }
  }

  /** What the copy is good for. */
  public sealed interface State {
    /** Not there yet, or more than five seconds behind a cluster that answers: to be passed over. */
    record Loading() implements State {}

    /** As the cluster was five seconds ago at most. */
    record Live() implements State {}

    /**
     * No quorum of the cluster has answered for five seconds. The copy is as it was.
     *
     * @param sinceNanos the clock when the last heartbeat that was answered was sent
     * @param reason of the last failure, for people
     */
    record CutOff(long sinceNanos, String reason) implements State {}

    /**
     * There is no copy: it would be too large. The cluster may be reachable or not.
     *
     * @param bytes more than this was found
     */
    record TooLarge(long bytes) implements State {}

    /**
     * There is no copy: the cluster does not let its user read all mirrored prefixes.
     *
     * @param status as the cluster answered
     */
    record Refused(Status status) implements State {}
  }

  /**
   * Makes no calls before {@link #start}.
   *
   * @param upstream calls on it carry the agent's credentials and go to a member that works
   * @param timer used for short tasks only
   * @param nanoClock monotonic
   * @param random spreads attempts
   */
  public LocalCopy(Settings settings, Channel upstream, ScheduledExecutorService timer, LongSupplier nanoClock, RandomGenerator random) {
    this.settings = settings;
    this.spans = Span.of(settings.prefixes());
    this.timer = timer;
    this.nanoClock = nanoClock;
    this.upstream = upstream;
    this.hub = new WatchHub(store, this::toldHeader, LIMITS, nanoClock, random);
    this.loop = new CopyLoop(timer);
    this.follower = new Follower(settings, upstream, loop, nanoClock, random, store, new Telling(), counters);
  }

  /** Deletes what an earlier copy left, and begins. */
  public void start() throws IOException {
    Files.createDirectories(settings.directory());
    try (Stream<Path> left = Files.list(settings.directory())) {
      left.filter(file -> file.getFileName().toString().startsWith("copy-")).forEach(CopyContent::delete);
    }
    hub.start();
    loop.execute(follower::start);
    ticking = timer.scheduleWithFixedDelay(() -> loop.execute(follower::tick), TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Whether a range lies within one mirrored prefix.
   *
   * @param end as in a range request: null or empty for the single key, one zero byte for no end
   */
  public boolean covers(byte[] key, byte[] end) {
    for (Span span : spans) {
      if (span.covers(key, end)) {
        return true;
      }
    }
    return false;
  }

  public State state() {
    return state;
  }

  /**
   * The copy: one object whatever happens. Its revision never goes back. Views are refused with {@link io.kvorum.mvcc.StoreClosedException} while there is no content, which may
   * be a moment after {@link #state} said otherwise.
   */
  public MvccStore store() {
    return store;
  }

  /**
   * Completes, on the copy's thread, once the copy has a revision of the cluster's; at once when it has. The cluster is asked how far it is, once for all who wait. The caller
   * bounds the wait and completes the future when it gives up. Fails when there is no copy.
   */
  public CompletableFuture<Void> reach(long revision) {
    CompletableFuture<Void> reached = new CompletableFuture<>();
    if (store.hasContent() && store.revision() >= revision) {
      reached.complete(null);
    } else {
      loop.execute(() -> follower.reach(revision, reached));
    }
    return reached;
  }

  /** A header of the cluster's, with the member and the term last heard of. */
  public ResponseHeader header(long revision) {
    return counters.heard.toBuilder().setRevision(revision).build();
  }

  /**
   * The watch service for local callers, once: watches within one mirrored prefix from now on, or from a revision above the copy's floor, are answered by the copy, the others go to
   * the cluster over one stream for each stream here.
   *
   * @param shown newest revision that local callers have seen in an answer: a watch from now on begins behind it
   * @param told hears of each revision that a watch may show them, on the watch thread
   */
  public BindableService watches(LongSupplier shown, LongConsumer told) {
    this.told = told;
    watches = new RoutedWatchService(hub, new CopyRouting(this, shown, told), upstream, timer);
    return watches;
  }

  private ResponseHeader toldHeader(long revision) {
    told.accept(revision);
    return header(revision);
  }

  /** Tells this listener of all changes of the copy from now on, on the copy's thread. */
  public void listen(ChangeListener listener) {
    listeners.add(listener);
  }

  @Override
  public void collect(MetricsText out) {
    CopyMetrics.collect(out, state, store, counters, spans, settings.maxBytes(), nanoClock.getAsLong());
    out.gauge("kvorum_agent_watchers", "Watchers of local callers that are served by the local copy.", hub.watchers())
        .gauge("kvorum_agent_slow_watchers", "Those of them that read history, because they began in the past or their caller is slow.", hub.slowWatchers())
        .gauge("kvorum_agent_watch_streams", "Watch streams of local callers.", hub.streams())
        .counter("kvorum_agent_watch_events_total", "Events sent to local callers from the local copy.", hub.events());
    RoutedWatchService service = watches;
    if (service != null) {
      service.collect(out);
    }
  }

  /** Ends all watches and takes the files away. Views that are open stay good. */
  @Override
  public void close() {
    hub.close();
    if (ticking != null) {
      ticking.cancel(false);
    }
    loop.execute(follower::stop);
    loop.close();
  }

  /** Passes on what the follower tells. */
  private final class Telling implements Follower.Audience {
    @Override
    public void applied(long revision, List<Change> changes) {
      hub.published(revision, changes);
      listeners.forEach(listener -> listener.published(revision, changes));
    }

    @Override
    public void floorMoved(long floor) {
      hub.compacted(floor);
      listeners.forEach(listener -> listener.compacted(floor));
    }

    @Override
    public void replaced(long revision) {
      hub.rebased(revision);
      listeners.forEach(listener -> listener.replaced(revision));
    }

    @Override
    public void dropping(Status reason, Runnable then) {
      hub.endAll(reason, then);
    }

    @Override
    public void state(State next) {
      boolean cutOff = next instanceof State.CutOff && !(state instanceof State.CutOff);
      state = next;
      RoutedWatchService service = watches;
      if (cutOff && service != null) {
        service.endLeaderless();
      }
    }
  }
}
