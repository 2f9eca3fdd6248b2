package io.kvorum.server.kv;

import com.google.protobuf.MessageLite;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.front.OutboundBudget;

/**
 * Keeps calls on the client port within the {@link OutboundBudget}: unary ones, and streamed ranges piece by piece. A call on a connection that has not taken enough
 * waits before it begins; the answer to a read that finds no room is {@code too many requests}. Answers to writes are never refused, since those have happened.
 * Other streams have bounds of their own.
 */
public final class AnswerLimits implements ServerInterceptor {
  /** Not worth counting: what a call costs anyway. */
  private static final long UNCOUNTED_BYTES = 1 << 10;

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    MethodType type = call.getMethodDescriptor().getType();
    OutboundBudget.Connection connection = call.getAttributes().get(OutboundBudget.CONNECTION);
    if (connection == null || type != MethodType.UNARY && !"RangeStream".equals(call.getMethodDescriptor().getBareMethodName())) {
      return next.startCall(call, headers);
    }
    Answer<Q, R> answer = new Answer<>(call, connection);
    return new Calling<>(answer, next.startCall(answer, headers));
  }

  private static long size(Object message) {
    return switch (message) {
      case RangeReply reply -> reply.size();
      case MessageLite decoded -> decoded.getSerializedSize();
      case byte[] encoded -> encoded.length;
      default -> 0;
    };
  }

  private static final class Answer<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final OutboundBudget.Connection connection;
    private boolean read;
    private boolean mayBeLarge;
    private boolean refused;
    private boolean ended;
    private OutboundBudget.Held held;

    Answer(ServerCall<Q, R> call, OutboundBudget.Connection connection) {
      super(call);
      this.connection = connection;
    }

    void asked(Object request) {
      switch (request) {
        case RangeRequest range -> {
          read = true;
          mayBeLarge = !range.getRangeEnd().isEmpty() && !range.getCountOnly();
        }
        case TxnRequest txn -> {
          read = TxnKind.of(txn) != TxnKind.WRITE;
          mayBeLarge = !TxnKind.isSmall(txn);
        }
        case DeleteRangeRequest delete -> mayBeLarge = delete.getPrevKv() && !delete.getRangeEnd().isEmpty();
        default -> {}
      }
    }

    @Override
    public void sendMessage(R message) {
      long size = size(message);
      if (size <= UNCOUNTED_BYTES || take(size)) {
        super.sendMessage(message);
      } else {
        refused = true;
        super.close(EtcdError.TOO_MANY_REQUESTS.status(), new Metadata());
      }
    }

    private boolean take(long size) {
      // The next piece of a stream is only sent when the one before has been taken.
      replace(null, false);
      OutboundBudget.Held next = read ? connection.tryHold(size) : connection.hold(size);
      if (next == null) {
        return false;
      }
      replace(next, false);
      return true;
    }

    /** What is held now is given back; so is what comes when the call has ended. */
    private void replace(OutboundBudget.Held next, boolean end) {
      OutboundBudget.Held before;
      synchronized (this) {
        ended |= end;
        before = ended && next != null ? next : held;
        held = ended ? null : next;
      }
      if (before != null) {
        before.release();
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!refused) {
        super.close(status, trailers);
      }
    }

    /** Everything has been taken, or nobody will take it. */
    void ended() {
      replace(null, true);
    }
  }

  private static final class Calling<Q, R> extends SimpleForwardingServerCallListener<Q> {
    private static final System.Logger LOG = System.getLogger(AnswerLimits.class.getName());

    private final Answer<Q, R> answer;
    private Runnable waiting;
    private volatile boolean cancelled;

    Calling(Answer<Q, R> answer, ServerCall.Listener<Q> inner) {
      super(inner);
      this.answer = answer;
    }

    @Override
    public void onMessage(Q message) {
      answer.asked(message);
      super.onMessage(message);
    }

    @Override
    public void onHalfClose() {
      Context context = Context.current();
      waiting = () -> context.run(this::resume);
      if (answer.connection.admits(answer.mayBeLarge, waiting)) {
        waiting = null;
        super.onHalfClose();
      }
    }

    private void resume() {
      if (cancelled) {
        return;
      }
      try {
        super.onHalfClose();
      } catch (RuntimeException broken) {
        LOG.log(System.Logger.Level.ERROR, "a call that had waited failed", broken);
        answer.close(Status.UNKNOWN.withCause(broken), new Metadata());
      }
    }

    @Override
    public void onCancel() {
      cancelled = true;
      if (waiting != null) {
        answer.connection.forget(waiting);
      }
      answer.ended();
      super.onCancel();
    }

    @Override
    public void onComplete() {
      answer.ended();
      super.onComplete();
    }
  }
}
