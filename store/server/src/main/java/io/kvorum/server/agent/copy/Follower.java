package io.kvorum.server.agent.copy;

import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import java.io.IOException;
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
final class Follower implements Following.Listener {
  static final long TOO_LARGE_SECONDS = 300;
  private static final Log LOG = Log.of(LocalCopy.class);
  private static final int HEARTBEATS_MAX = 5;

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
  private final CopyStore store;
  private final Audience audience;
  private final CopyCounters counters;
  private final Heartbeat heartbeat;
  private final Freshness fresh;
  private final Reaching reaching = new Reaching();
  private final Contents contents;
  private final Attempts attempts;
  private boolean needsBase = true;
  private BaseReader reading;
  private Following following;
  private Status refused;
  private long tooLargeBytes;
  private long tooLargeSince;
  private int heartbeats;
  private long heardAt;
  private String trouble = "no answer yet";

  /** @param counters for the metrics; read by any thread */
  Follower(
      LocalCopy.Settings settings, Channel channel, CopyLoop loop, LongSupplier nanoClock, RandomGenerator random, CopyStore store, Audience audience,
      CopyCounters counters) {
    this.settings = settings;
    this.spans = Span.of(settings.prefixes());
    this.channel = channel;
    this.loop = loop;
    this.nanoClock = nanoClock;
    this.attempts = new Attempts(loop, random, this::attempt);
    this.contents = new Contents(settings, store);
    this.store = store;
    this.audience = audience;
    this.counters = counters;
    this.heartbeat = new Heartbeat(channel, spans);
    this.fresh = new Freshness(nanoClock.getAsLong());
  }

  void start() {
    tick();
    attempt();
  }

  /** Once a second. */
  void tick() {
    ask();
    long now = nanoClock.getAsLong();
    if (tooLargeBytes > 0 && now - tooLargeSince > TOO_LARGE_SECONDS * 1_000_000_000L) {
      tooLargeBytes = 0;
      attempts.soon();
    }
    if (following != null && fresh.behind(now) && now - heardAt > Freshness.CUT_OFF_NANOS) {
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
    heartbeat
        .ask()
        .whenCompleteAsync(
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
    fresh.answered(asked, header.getRevision());
    counters.clusterRevision = header.getRevision();
    if (refused != null) {
      refused = null;
      LOG.info("the cluster lets the copy be read again");
      attempts.soon();
    }
    if (contents.present() != null && header.getRevision() < revisionThen) {
      restored(header);
    }
    heard(header);
    if (contents.present() != null) {
      reached();
      askIfWanted();
    }
  }

  private void askIfWanted() {
    if (following != null) {
      following.askIfWanted();
    }
  }

  private void unanswered(Status status) {
    trouble = Calls.reason(status);
    if (Heartbeat.refused(status)) {
      boolean first = refused == null;
      refused = status;
      if (first) {
        LOG.warn("the cluster refuses the copy, which is dropped", "reason", Calls.reason(status));
        drop(status);
      }
    }
  }

  /** The content goes once nobody uses it any more; a fresh base is needed. */
  private void drop(Status reason) {
    stopFollowing();
    needsBase = true;
    contents.drop(
        reason,
        loop,
        (why, then) -> {
          settle();
          audience.dropping(why, then);
        });
    reaching.fail(reason.asRuntimeException());
  }

  private void stopFollowing() {
    if (following != null) {
      following.cancel();
      following = null;
      counters.watches = 0;
    }
    BaseReader reader = reading;
    reading = null;
    if (reader != null) {
      reader.cancel();
    }
  }

  private void attempt() {
    if (refused != null || tooLargeBytes > 0 || following != null || reading != null) {
      return;
    }
    if (needsBase) {
      BaseReader reader = new BaseReader(channel, spans, CopyContent.liveBytesMax(settings.maxBytes()), loop);
      reading = reader;
      reader.read().whenComplete((base, failure) -> baseRead(reader, base, failure));
    } else {
      heardAt = nanoClock.getAsLong();
      following = new Following(channel, spans, store.revision(), loop, counters, this);
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
      unanswered(Calls.status(failure));
      attempts.later();
    } else if (base.revision() < store.revision()) {
      trouble = "the cluster is at revision " + base.revision() + ", behind " + store.revision() + " that was seen before: it was restored";
      attempts.later();
    } else {
      take(base);
    }
    settle();
  }

  private void take(Base base) {
    try {
      CopyContent old = contents.become(base);
      needsBase = false;
      attempts.succeeded();
      counters.bases.increment();
      heard(base.header());
      audience.replaced(base.revision());
      reached();
      LOG.info("the copy has a fresh base", "revision", base.revision(), "keys", base.pairs().size(), "bytes", store.sizeInUseBytes());
      Contents.closeOld(old);
      attempt();
    } catch (IOException | RuntimeException e) {
      contentFailed(e);
    }
  }

  private void contentFailed(Exception reason) {
    LOG.error("the copy failed and is made anew", reason);
    drop(EtcdError.SERVER_STOPPED.status());
    attempts.muchLater();
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
        "copied-cluster-id", Long.toHexString(contents.clusterId()), "copied-revision", store.revision());
    rebase();
  }

  private void rebase() {
    stopFollowing();
    needsBase = true;
    attempts.later();
  }

  @Override
  public void heard(ResponseHeader header) {
    heardAt = nanoClock.getAsLong();
    counters.heard = header;
    if (contents.present() != null && !needsBase && header.getClusterId() != contents.clusterId()) {
      restored(header);
    }
  }

  @Override
  public void opened() {
    attempts.succeeded();
    counters.watches = spans.size();
  }

  @Override
  public void complete(long revision, List<Change> changes) {
    CopyContent content = contents.present();
    try {
      boolean floorMoved = content.apply(revision, changes);
      audience.applied(revision, changes);
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

  @Override
  public boolean wants(long revision) {
    return reaching.any() || counters.clusterRevision > revision;
  }

  @Override
  public void overflowed() {
    rebase();
  }

  private void reached() {
    long revision = store.revision();
    reaching.reached(revision);
    fresh.reached(revision);
  }

  @Override
  public void ended(UpstreamWatch.End end) {
    switch (end) {
      case UpstreamWatch.End.Compacted compacted -> {
        LOG.info("the cluster has compacted what the copy missed: a fresh base is needed", "revision", store.revision(), "compact-revision", compacted.floor());
        rebase();
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
    attempts.later();
  }

  private void settle() {
    long now = nanoClock.getAsLong();
    State state;
    if (refused != null) {
      state = new State.Refused(refused);
    } else if (tooLargeBytes > 0) {
      state = new State.TooLarge(tooLargeBytes);
    } else if (contents.present() == null) {
      state = new State.Loading();
    } else if (fresh.cutOff(now)) {
      state = new State.CutOff(fresh.answeredAt(), trouble);
    } else {
      state = fresh.behind(now) ? new State.Loading() : new State.Live();
    }
    audience.state(state);
  }

  /** See {@link LocalCopy#reach}. */
  void reach(long revision, CompletableFuture<Void> reached) {
    if (contents.present() == null) {
      reached.completeExceptionally(EtcdError.SERVER_STOPPED.exception());
    } else if (store.revision() >= revision) {
      reached.complete(null);
    } else {
      reaching.add(revision, reached);
      askIfWanted();
    }
  }

  void stop() {
    stopFollowing();
    reaching.fail(EtcdError.SERVER_STOPPED.exception());
    contents.close();
  }
}
