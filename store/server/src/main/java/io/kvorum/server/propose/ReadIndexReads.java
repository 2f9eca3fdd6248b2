package io.kvorum.server.propose;

import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.ReadCallback;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.LinearizableReads;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.lang.System.Logger.Level;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;

/** Linearizable reads by the read index of consensus, which batches those that wait and bounds their number and time. */
public final class ReadIndexReads implements LinearizableReads, MetricSource {
  private static final System.Logger LOG = System.getLogger(ReadIndexReads.class.getName());

  private final RaftNode node;
  private final LongAdder timedOut = new LongAdder();
  private final LongAdder failed = new LongAdder();

  public ReadIndexReads(RaftNode node) {
    this.node = node;
  }

  @Override
  public void await(Completion<Void> completion) {
    node.readIndex(
        new ReadCallback() {
          @Override
          public void ready() {
            tell(() -> completion.done(null));
          }

          @Override
          public void failed(Failure reason) {
            (reason == Failure.TIMED_OUT ? timedOut : failed).increment();
            tell(() -> completion.failed(error(reason).exception()));
          }
        });
  }

  @Override
  public void collect(MetricsText out) {
    out.counter(
            "etcd_server_slow_read_indexes_total",
            "The total number of pending read indexes not in sync with leader's or timed out read index requests.", timedOut.sum())
        .counter("etcd_server_read_indexes_failed_total", "The total number of failed read indexes seen.", failed.sum());
  }

  /** A reader's failure is its own: the raft thread goes on. When the member stops, the port that an answer should go to may be closed already. */
  private static void tell(Runnable outcome) {
    try {
      outcome.run();
    } catch (RejectedExecutionException | StoreClosedException stopped) {
      LOG.log(Level.DEBUG, "a read's outcome came after the end", stopped);
    } catch (RuntimeException broken) {
      LOG.log(Level.WARNING, "a read did not take its outcome", broken);
    }
  }

  private static EtcdError error(ReadCallback.Failure reason) {
    return switch (reason) {
      case LEADER_CHANGED -> EtcdError.LEADER_CHANGED;
      case TIMED_OUT -> EtcdError.TIMED_OUT;
      case STOPPED -> EtcdError.SERVER_STOPPED;
      case TOO_MANY -> EtcdError.TOO_MANY_REQUESTS;
    };
  }
}
