package io.kvorum.server.agent;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.kvorum.server.agent.upstream.Seen;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;

/**
 * One call with one answer that the cluster is asked, and whose answer is looked at before it is shown: revisions never go back. An answer that is behind what callers had been
 * told when the cluster was asked came from a member that is behind; it is asked for again in a way that cannot be.
 *
 * @param <Q> the request
 */
class Asking<Q> extends ServerCall.Listener<Q> {
  private final ServerCall<Q, Object> down;
  private final Metadata headers;
  private final Way<Q> way;

  /** The cluster may be asked on another thread, which knows nothing of the call. */
  private final Deadline deadline = Context.current().getDeadline();

  private Q request;
  private ClientCall<Q, byte[]> up;
  private boolean cancelled;

  /**
   * How a method is asked.
   *
   * @param upstream with the agent's credentials
   * @param method with answers as they are
   * @param shown takes note of what callers are told
   * @param linearizable the same request so that a member that is behind cannot answer it; null when it is so already
   * @param passedOn counts requests
   * @param madeAgain counts those that were asked for again
   */
  record Way<Q>(
      Channel upstream, MethodDescriptor<Q, byte[]> method, Seen shown, UnaryOperator<Q> linearizable, LongAdder passedOn, LongAdder madeAgain) {}

  Asking(ServerCall<Q, Object> down, Metadata headers, Way<Q> way) {
    this.down = down;
    this.headers = headers;
    this.way = way;
    down.request(2);
  }

  @Override
  public final void onMessage(Q message) {
    request = message;
  }

  @Override
  public final void onHalfClose() {
    if (request == null) {
      refuse(Status.INTERNAL.withDescription("grpc: the request is missing"));
    } else {
      arrived(request);
    }
  }

  /** The whole request is there. */
  void arrived(Q whole) {
    ask(whole);
  }

  @Override
  public final void onCancel() {
    ClientCall<Q, byte[]> now;
    synchronized (this) {
      cancelled = true;
      now = up;
    }
    if (now != null) {
      now.cancel("the caller has gone away", null);
    }
  }

  /** Shows an answer of this process. */
  final void show(Metadata metadata, Object answer) {
    if (!down.isCancelled()) {
      down.sendHeaders(metadata);
      down.sendMessage(answer);
      down.close(Status.OK, new Metadata());
    }
  }

  /** Shows why there is no answer. */
  public final void refuse(Status reason) {
    if (!down.isCancelled()) {
      down.close(reason, new Metadata());
    }
  }

  /** Asks the cluster again, in a way that gives nothing old. */
  final void askLinearizable(Q asked) {
    way.madeAgain.increment();
    ask(way.linearizable.apply(asked));
  }

  final void ask(Q asked) {
    ClientCall<Q, byte[]> next = way.upstream.newCall(way.method, CallOptions.DEFAULT.withDeadline(deadline));
    synchronized (this) {
      if (cancelled) {
        return;
      }
      up = next;
    }
    way.passedOn.increment();
    next.start(new FromCluster(asked, way.shown.get()), Forwarding.forUpstream(headers));
    // A second answer would be an error; asking for it lets the call end.
    next.request(2);
    next.sendMessage(asked);
    next.halfClose();
  }

  private final class FromCluster extends ClientCall.Listener<byte[]> {
    private final Q asked;
    private final long mark;
    private Metadata received = new Metadata();
    private byte[] answer;

    FromCluster(Q asked, long mark) {
      this.asked = asked;
      this.mark = mark;
    }

    @Override
    public void onHeaders(Metadata metadata) {
      received = metadata;
    }

    @Override
    public void onMessage(byte[] message) {
      answer = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (down.isCancelled()) {
        return;
      }
      if (status.isOk() && answer != null) {
        if (Seen.revisionOf(answer) < mark && way.linearizable.apply(asked) != null) {
          askLinearizable(asked);
          return;
        }
        way.shown.answer(answer);
        down.sendHeaders(received);
        down.sendMessage(answer);
      }
      down.close(status, trailers);
    }
  }
}
