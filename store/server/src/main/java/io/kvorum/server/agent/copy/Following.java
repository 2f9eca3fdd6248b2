package io.kvorum.server.agent.copy;

import io.grpc.Channel;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import java.util.List;

/** One stream of watches from one revision on, as whole revisions; asks for progress when something waits for it. Belongs to the follower's thread. */
final class Following implements UpstreamWatch.Listener {
  /** What of several prefixes may wait for a revision to be complete; beyond it a fresh base is cheaper. */
  static final long WAITING_BYTES_MAX = 64L << 20;

  /** Who hears of it; nothing after the end. */
  interface Listener {
    void heard(ResponseHeader header);

    /** All watches are there. */
    void opened();

    /** All revisions up to this one are complete. */
    void complete(long revision, List<Change> changes);

    /** Whether somebody waits for a revision behind this one. */
    boolean wants(long revision);

    /** More than {@link #WAITING_BYTES_MAX} bytes wait. */
    void overflowed();

    void ended(UpstreamWatch.End end);
  }

  private final CopyLoop loop;
  private final CopyCounters counters;
  private final Listener listener;
  private final RevisionMerge merge;
  private final UpstreamWatch watch;
  private final ProgressAsking asking = new ProgressAsking();
  private long revision;
  private boolean over;

  /** @param revision the copy has all up to it */
  Following(Channel channel, List<Span> spans, long revision, CopyLoop loop, CopyCounters counters, Listener listener) {
    this.loop = loop;
    this.counters = counters;
    this.listener = listener;
    this.revision = revision;
    this.merge = new RevisionMerge(spans.size(), revision);
    this.watch = new UpstreamWatch(channel, spans, revision + 1, loop, this);
  }

  /** Ends it; nothing more is heard. */
  void cancel() {
    over = true;
    watch.cancel();
  }

  @Override
  public void heard(ResponseHeader header) {
    listener.heard(header);
  }

  @Override
  public void opened() {
    listener.opened();
    askIfWanted();
  }

  @Override
  public void events(int span, List<Change> changes) {
    merge.events(span, changes);
    counters.events.add(changes.size());
    if (merge.waitingBytes() > WAITING_BYTES_MAX) {
      cancel();
      listener.overflowed();
      return;
    }
    drain();
    askIfWanted();
  }

  @Override
  public void progress(int span, long upTo) {
    if (span >= 0) {
      merge.progress(span, upTo);
      drain();
      return;
    }
    merge.progress(upTo);
    drain();
    if (wanted()) {
      long pause = asking.pause();
      askAfter(pause);
    } else {
      asking.satisfied();
    }
  }

  @Override
  public void ended(UpstreamWatch.End end) {
    over = true;
    listener.ended(end);
  }

  private void drain() {
    List<Change> changes = merge.take();
    long complete = merge.complete();
    if (complete > revision) {
      revision = complete;
      listener.complete(complete, changes);
    }
  }

  private boolean wanted() {
    return !over && watch.open() && (merge.incomplete() || listener.wants(revision));
  }

  /** Asks how far the cluster is, if that is of interest and not asked already. */
  void askIfWanted() {
    if (wanted() && asking.begin()) {
      counters.questions.increment();
      watch.askProgress();
      askAfter(ProgressAsking.SILENCE_MILLIS);
    }
  }

  private void askAfter(long millis) {
    long turn = asking.turn();
    loop.after(
        millis,
        () -> {
          if (asking.over(turn)) {
            askIfWanted();
          }
        });
  }
}
