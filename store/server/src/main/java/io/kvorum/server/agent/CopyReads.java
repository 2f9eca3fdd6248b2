package io.kvorum.server.agent;

import io.grpc.Status;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.agent.copy.LocalCopy;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.agent.upstream.Seen;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.kv.KvChecks;
import io.kvorum.server.kv.RangeReply;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Which reads the copy answers: serializable ones within one mirrored prefix.
 *
 * <ol>
 *   <li>While the copy follows, once it has all revisions that callers have been told; for that it waits {@link #REACH_MILLIS} at most, then the cluster is asked, linearizably.
 *   <li>A revision that the copy does not have (any more) is asked of the cluster.
 *   <li>While there is no copy, because it is being read or is too large, the cluster is asked.
 *   <li>Cut off from the cluster, with stale reads allowed, as the copy is: the answer says how old that is, and its revision may be below what callers have been told.
 *       Otherwise the read is refused, with the words of a member without a leader, or of a connection that is lost.
 *   <li>A copy that the cluster refuses to the agent's user answers with that refusal.
 * </ol>
 */
final class CopyReads implements MetricSource {
  static final long REACH_MILLIS = 250;

  private static final long NOT_STALE = -1;

  private final LocalCopy copy;
  private final Seen shown;
  private final boolean staleReads;
  private final BooleanSupplier connected;
  private final ExecutorService readers;
  private final LongSupplier nanoTime;
  private final LongAdder answered = new LongAdder();
  private final LongAdder waited = new LongAdder();
  private final LongAdder stale = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /**
   * @param shown highest revision that callers have been told
   * @param staleReads whether to answer while cut off
   * @param connected whether a connection to a member stands
   * @param readers for reads that had to wait
   */
  CopyReads(LocalCopy copy, Seen shown, boolean staleReads, BooleanSupplier connected, ExecutorService readers, LongSupplier nanoTime) {
    this.copy = copy;
    this.shown = shown;
    this.staleReads = staleReads;
    this.connected = connected;
    this.readers = readers;
    this.nanoTime = nanoTime;
  }

  /** Ways to an answer, one of which is taken. */
  interface Answering {
    /**
     * @param reply closed by the caller of this method
     * @param staleMillis age of the copy while cut off, else below 0
     */
    void answer(RangeReply reply, long staleMillis);

    void refuse(Status reason);

    /** Asks the cluster what was asked. */
    void passOn();

    /** Asks the cluster, linearizably. */
    void passOnLinearizable();
  }

  void read(RangeRequest request, Answering answering) {
    boolean local =
        request.getSerializable() && KvChecks.range(request) == null && copy.covers(request.getKey().toByteArray(), request.getRangeEnd().toByteArray());
    if (!local) {
      answering.passOn();
      return;
    }
    switch (copy.state()) {
      case State.Live live -> whenReached(request, answering);
      case State.CutOff cutOff -> cutOff(cutOff, request, answering);
      case State.Loading loading -> answering.passOn();
      case State.TooLarge tooLarge -> answering.passOn();
      case State.Refused no -> {
        refused.increment();
        answering.refuse(no.status());
      }
    }
  }

  private void whenReached(RangeRequest request, Answering answering) {
    CompletableFuture<Void> reached = copy.reach(shown.get());
    if (reached.isDone() && !reached.isCompletedExceptionally()) {
      answer(request, answering);
      return;
    }
    waited.increment();
    reached
        .orTimeout(REACH_MILLIS, TimeUnit.MILLISECONDS)
        .whenComplete(
            (nothing, notReached) -> {
              if (notReached != null) {
                answering.passOnLinearizable();
                return;
              }
              try {
                readers.execute(() -> answer(request, answering));
              } catch (RejectedExecutionException full) {
                answering.refuse(EtcdError.TOO_MANY_REQUESTS.status());
              }
            });
  }

  private void answer(RangeRequest request, Answering answering) {
    if (answered(request, answering, NOT_STALE)) {
      answered.increment();
    } else {
      answering.passOn();
    }
  }

  private void cutOff(State.CutOff cutOff, RangeRequest request, Answering answering) {
    long millis = Math.max(0, TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - cutOff.sinceNanos()));
    if (staleReads && answered(request, answering, millis)) {
      stale.increment();
    } else {
      refused.increment();
      answering.refuse((connected.getAsBoolean() ? EtcdError.NO_LEADER : EtcdError.TIMED_OUT_CONNECTION_LOST).status());
    }
  }

  /** False when the copy does not have what is asked for. */
  private boolean answered(RangeRequest request, Answering answering, long staleMillis) {
    ReadView view;
    try {
      view = copy.store().view();
    } catch (StoreClosedException empty) {
      return false;
    }
    long revision = view.revision();
    try (RangeReply reply = RangeReply.of(copy.header(revision), view, request)) {
      shown.revision(revision);
      answering.answer(reply, staleMillis);
      return true;
    } catch (RevisionException notHere) {
      return false;
    }
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("kvorum_agent_local_reads_total", "Range calls that the local copy answered.", answered.sum())
        .counter("kvorum_agent_local_reads_waited_total", "Range calls that waited for the local copy to have what callers had been told.", waited.sum())
        .counter("kvorum_agent_stale_reads_total", "Range calls that the local copy answered while the agent was cut off.", stale.sum())
        .counter("kvorum_agent_local_reads_refused_total", "Range calls of mirrored prefixes that were refused: cut off, or not permitted any more.", refused.sum());
  }
}
