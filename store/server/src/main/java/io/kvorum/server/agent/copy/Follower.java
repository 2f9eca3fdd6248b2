package io.kvorum.server.agent.copy;

import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Keeps the copy equal to the cluster. One thread makes all calls.
 *
 * <ol>
 *   <li>A base is read and becomes the copy's content, with the floor at its revision.
 *   <li>One stream watches from the revision behind the copy's. When it breaks, another is opened there, on whatever member the channel finds: a member that lags tells nothing
 *       until it has got there, so that the copy's revision never goes back.
 *   <li>When the cluster has compacted what is missing, or is another one (its id differs, or it is behind the copy: it was restored), a fresh base replaces the content. One below
 *       the copy's revision is not taken; the cluster is asked again until it has got there.
 *   <li>Each second a heartbeat asks how far the cluster is; if the copy is not there, progress is asked for. A stream that tells nothing although the cluster went on, for as
 *       long as it takes to be cut off, is given up for another.
 *   <li>Refused by the cluster, or too large, the content is dropped. The heartbeat goes on; once it is answered again, or {@value #TOO_LARGE_SECONDS} s later, a base is read.
 * </ol>
 */
final class Follower implements UpstreamWatch.Listener {
  static final long CUT_OFF_NANOS = 5_000_000_000L;
  static final long TOO_LARGE_SECONDS = 300;
  private static final Log LOG = Log.of(LocalCopy.class);
  private static final long PAUSE_MILLIS_MIN = 50;
  private static final long PAUSE_MILLIS_MAX = 2_000;
  private static final int HEARTBEATS_MAX = 5;
  private static final int BEATS_MAX = 16;

  /** What of several prefixes may wait for a revision to be complete; beyond it a fresh base is cheaper. */
  private static final long WAITING_BYTES_MAX = 64L << 20;

  /** Those who hear of the copy; called on the follower's thread. */
  interface Audience {
    void applied(long revision, List<Change> changes);

    void floorMoved(long floor);

    /** The content is another one; nothing is known of what happened up to this revision. */
    void replaced(long revision);

    /**
     * The content will be dropped.
     *
     * @param reason what to tell those who use it
     * @param then run, on any thread, once nobody does
     */
    void dropping(Status reason, Runnable then);

    void state(State state);
  }

  private final LocalCopy.Settings settings;
  private final List<Span> spans;
  private final Channel channel;
  private final CopyLoop loop;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;
  private final CopyStore store;
  private final Audience audience;
  private final CopyCounters counters;
  private final Heartbeat heartbeat;
  private final Reaching reaching = new Reaching();
  private final ProgressAsking asking = new ProgressAsking();
  private CopyContent content;
  private long clusterId;
  private long contents;
  private boolean needsBase = true;
  private BaseReader reading;
  private UpstreamWatch watch;
  private RevisionMerge merge;
  private boolean attemptDue;
  private int failures;
  private Status refused;
  private long tooLargeBytes;
  private long tooLargeSince;
  private int heartbeats;
  private long answeredAt;
  private long clusterRevision;
  private long heardAt;

  /** Answers of the heartbeat that the copy has not reached, oldest first. */
  private final Deque<Beat> ahead = new ArrayDeque<>();

  /** When the newest heartbeat was asked whose revision the copy has. */
  private long freshAt;
  private String trouble = "no answer yet";

  /**
   * @param asked when, nanoseconds
   * @param revision the cluster's, then or later
   */
  private record Beat(long asked, long revision) {}

  /** @param counters for the metrics; read by any thread */
  Follower(
      LocalCopy.Settings settings, Channel channel, CopyLoop loop, LongSupplier nanoClock, RandomGenerator random, CopyStore store, Audience audience,
      CopyCounters counters) {
    this.settings = settings;
    this.spans = Span.of(settings.prefixes());
    this.channel = channel;
    this.loop = loop;
    this.nanoClock = nanoClock;
    this.random = random;
    this.store = store;
    this.audience = audience;
    this.counters = counters;
    this.heartbeat = new Heartbeat(channel, spans);
  }

  void start() {
    answeredAt = nanoClock.getAsLong();
    freshAt = answeredAt;
    tick();
    attempt();
  }

  /** Once a second. */
  void tick() {
    ask();
    if (tooLargeBytes > 0 && nanoClock.getAsLong() - tooLargeSince > TOO_LARGE_SECONDS * 1_000_000_000L) {
      tooLargeBytes = 0;
      retry(0);
    }
    if (behind() && watch != null && nanoClock.getAsLong() - heardAt > CUT_OFF_NANOS) {
      watch.cancel();
      watchBroken(Status.UNAVAILABLE.withDescription("the watch tells nothing"));
    }
    settle();
  }

  private void ask() {
    if (heartbeats >= HEARTBEATS_MAX) {
      return;
    }
    heartbeats++;
    long asked = nanoClock.getAsLong();
    long revision = store.revision();
    CompletableFuture<ResponseHeader> answer = heartbeat.ask();
    answer.whenCompleteAsync(
        (header, failure) -> {
          heartbeats--;
          if (failure != null) {
            unanswered(Calls.status(failure));
          } else {
            answered(header, asked, revision);
          }
          settle();
        },
        loop);
  }

  private void answered(ResponseHeader header, long asked, long revisionThen) {
    answeredAt = Math.max(answeredAt, asked);
    if (refused != null) {
      refused = null;
      LOG.info("the cluster lets the copy be read again");
      retry(0);
    }
    clusterRevision = header.getRevision();
    counters.clusterRevision = clusterRevision;
    if (content != null && clusterRevision < revisionThen) {
      restored(header);
    }
    heard(header);
    if (ahead.size() < BEATS_MAX) {
      ahead.add(new Beat(asked, clusterRevision));
    }
    if (content != null) {
      reached();
      wantProgress();
    }
  }

  private void unanswered(Status status) {
    trouble = Calls.reason(status);
    if (Heartbeat.refused(status)) {
      refuse(status);
    }
  }

  private void refuse(Status status) {
    if (refused != null) {
      refused = status;
      return;
    }
    LOG.warn("the cluster refuses the copy, which is dropped", "reason", Calls.reason(status));
    refused = status;
    drop(status);
  }

  /** The content goes once nobody uses it any more; a fresh base is needed. */
  private void drop(Status reason) {
    stopFollowing();
    needsBase = true;
    CopyContent old = content;
    content = null;
    settle();
    reaching.fail(reason.asRuntimeException());
    if (old != null) {
      audience.dropping(
          reason,
          () ->
              loop.execute(
                  () -> {
                    if (store.holds(old.store())) {
                      store.replace(null);
                    }
                    old.close();
                  }));
    }
  }

  private void stopFollowing() {
    if (watch != null) {
      watch.cancel();
      watch = null;
      counters.watches = 0;
    }
    BaseReader reader = reading;
    reading = null;
    if (reader != null) {
      reader.cancel();
    }
    asking.reset();
  }

  /** Another attempt in a while, one at a time. */
  private void retry(long millis) {
    if (!attemptDue) {
      attemptDue = true;
      loop.after(
          millis,
          () -> {
            attemptDue = false;
            attempt();
          });
    }
  }

  private void retryLater() {
    long most = Math.min(PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN << Math.min(failures, 10));
    failures++;
    retry(most / 2 + random.nextLong(most / 2 + 1));
  }

  private void attempt() {
    if (refused != null || tooLargeBytes > 0 || watch != null || reading != null) {
      return;
    }
    if (needsBase) {
      BaseReader reader = new BaseReader(channel, spans, CopyContent.liveBytesMax(settings.maxBytes()), loop);
      reading = reader;
      reader.read().whenComplete((base, failure) -> baseRead(reader, base, failure));
    } else {
      watch = new UpstreamWatch(channel, spans, store.revision() + 1, loop, this);
      merge = new RevisionMerge(spans.size(), store.revision());
      heardAt = nanoClock.getAsLong();
    }
  }

  private void baseRead(BaseReader reader, Base base, Throwable failure) {
    if (reading != reader) {
      return;
    }
    reading = null;
    if (failure instanceof BaseReader.TooLargeException tooLarge) {
      tooLarge(tooLarge.bytes);
    } else if (failure != null) {
      Status status = Calls.status(failure);
      unanswered(status);
      retryLater();
    } else if (base.revision() < store.revision()) {
      trouble = "the cluster is at revision " + base.revision() + ", behind " + store.revision() + " that was seen before: it was restored";
      retryLater();
    } else {
      take(base);
    }
    settle();
  }

  private void take(Base base) {
    try {
      Path directory = settings.directory().resolve("copy-" + ++contents);
      CopyContent next = CopyContent.of(directory, base, settings.maxBytes(), settings.historyRevisions());
      CopyContent old = content;
      content = next;
      clusterId = base.header().getClusterId();
      needsBase = false;
      failures = 0;
      store.replace(next.store());
      counters.bases.increment();
      heard(base.header());
      audience.replaced(base.revision());
      reached();
      LOG.info("the copy has a fresh base", "revision", base.revision(), "keys", base.pairs().size(), "bytes", next.store().sizeInUseBytes());
      if (old != null) {
        old.close();
      }
      attempt();
    } catch (IOException | RuntimeException e) {
      contentFailed(e);
    }
  }

  private void contentFailed(Exception reason) {
    LOG.error("the copy failed and is made anew", reason);
    drop(EtcdError.SERVER_STOPPED.status());
    retryLater();
  }

  private void tooLarge(long bytes) {
    LOG.warn("the mirrored prefixes are too large for a copy: reads are forwarded", "bytes", bytes, "max-bytes", settings.maxBytes());
    counters.tooLarge.increment();
    tooLargeBytes = bytes;
    tooLargeSince = nanoClock.getAsLong();
    drop(EtcdError.SERVER_STOPPED.status());
  }

  private void restored(ResponseHeader header) {
    LOG.warn(
        "the cluster is another one than before: a fresh base is needed", "cluster-id", Long.toHexString(header.getClusterId()), "revision", header.getRevision(),
        "copied-cluster-id", Long.toHexString(clusterId), "copied-revision", store.revision());
    stopFollowing();
    needsBase = true;
    retryLater();
  }

  @Override
  public void heard(ResponseHeader header) {
    heardAt = nanoClock.getAsLong();
    counters.heard = header;
    if (content != null && !needsBase && header.getClusterId() != clusterId) {
      restored(header);
    }
  }

  @Override
  public void opened() {
    failures = 0;
    counters.watches = spans.size();
    wantProgress();
  }

  @Override
  public void events(int span, List<Change> changes) {
    merge.events(span, changes);
    counters.events.add(changes.size());
    if (merge.waitingBytes() > WAITING_BYTES_MAX) {
      stopFollowing();
      needsBase = true;
      retryLater();
    } else {
      drain();
      wantProgress();
    }
  }

  @Override
  public void progress(int span, long revision) {
    if (span >= 0) {
      merge.progress(span, revision);
      drain();
      return;
    }
    merge.progress(revision);
    drain();
    if (wanted()) {
      long pause = asking.pause();
      long turn = asking.turn();
      loop.after(pause, () -> askAgain(turn));
    } else {
      asking.satisfied();
    }
  }

  private boolean wanted() {
    return watch != null && watch.open() && (reaching.any() || merge.incomplete() || clusterRevision > store.revision());
  }

  private void wantProgress() {
    if (wanted() && asking.begin()) {
      counters.questions.increment();
      watch.askProgress();
      long turn = asking.turn();
      loop.after(ProgressAsking.SILENCE_MILLIS, () -> askAgain(turn));
    }
  }

  private void askAgain(long turn) {
    if (asking.over(turn)) {
      wantProgress();
    }
  }

  private void drain() {
    List<Change> changes = merge.take();
    long complete = merge.complete();
    if (complete <= store.revision() || content == null) {
      return;
    }
    try {
      boolean floorMoved = content.apply(complete, changes);
      audience.applied(complete, changes);
      if (floorMoved) {
        audience.floorMoved(store.compactRevision());
      }
      reached();
      if (!changes.isEmpty() && content.tooLarge()) {
        tooLarge(content.store().sizeInUseBytes());
      }
    } catch (IOException | RuntimeException e) {
      contentFailed(e);
    }
  }

  private void reached() {
    long revision = store.revision();
    reaching.reached(revision);
    while (!ahead.isEmpty() && ahead.peek().revision <= revision) {
      freshAt = Math.max(freshAt, ahead.remove().asked);
    }
  }

  @Override
  public void ended(UpstreamWatch.End end) {
    switch (end) {
      case UpstreamWatch.End.Compacted compacted -> {
        LOG.info("the cluster has compacted what the copy missed: a fresh base is needed", "revision", store.revision(), "compact-revision", compacted.floor());
        stopFollowing();
        needsBase = true;
        attempt();
      }
      case UpstreamWatch.End.Broken broken -> watchBroken(broken.status());
    }
    settle();
  }

  private void watchBroken(Status status) {
    counters.breaks.increment();
    trouble = Calls.reason(status);
    stopFollowing();
    if (Heartbeat.refused(status)) {
      // The heartbeat, which can log in again, has the last word.
      ask();
    }
    retryLater();
  }

  /** Whether the copy lacks what the cluster had five seconds ago. */
  private boolean behind() {
    return nanoClock.getAsLong() - freshAt > CUT_OFF_NANOS;
  }

  private void settle() {
    State state;
    if (refused != null) {
      state = new State.Refused(refused);
    } else if (tooLargeBytes > 0) {
      state = new State.TooLarge(tooLargeBytes);
    } else if (content == null) {
      state = new State.Loading();
    } else if (nanoClock.getAsLong() - answeredAt > CUT_OFF_NANOS) {
      state = new State.CutOff(answeredAt, trouble);
    } else {
      state = behind() ? new State.Loading() : new State.Live();
    }
    audience.state(state);
  }

  /** See {@link LocalCopy#reach}. */
  void reach(long revision, CompletableFuture<Void> reached) {
    if (store.hasContent() && store.revision() >= revision) {
      reached.complete(null);
    } else if (content == null) {
      reached.completeExceptionally(EtcdError.SERVER_STOPPED.exception());
    } else {
      reaching.add(revision, reached);
      wantProgress();
    }
  }

  void stop() {
    stopFollowing();
    reaching.fail(EtcdError.SERVER_STOPPED.exception());
    store.replace(null);
    if (content != null) {
      content.close();
      content = null;
    }
  }
}
