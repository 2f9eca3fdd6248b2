package io.kvorum.server.agent;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.agent.upstream.Seen;
import io.kvorum.server.kv.RangeReply;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.atomic.LongAdder;

/**
 * KV.Range: answered from the copy where {@link CopyReads} says so, else passed on. Revisions never go back: a serializable answer of a member that is behind what callers have
 * been told before is not shown; the read is made again as a linearizable one.
 */
final class Ranges implements MetricSource {
  private static final MethodDescriptor<RangeRequest, Object> LOCAL =
      KVGrpc.getRangeMethod().toBuilder(KVGrpc.getRangeMethod().getRequestMarshaller(), Answers.OF_RANGES).build();
  private static final MethodDescriptor<RangeRequest, byte[]> UPSTREAM =
      KVGrpc.getRangeMethod().toBuilder(KVGrpc.getRangeMethod().getRequestMarshaller(), Bytes.AS_THEY_ARE).build();

  /** How old the copy is, in milliseconds, on answers of an agent that is cut off. */
  static final Metadata.Key<String> STALE = Metadata.Key.of("kvorum-stale", Metadata.ASCII_STRING_MARSHALLER);

  private final Channel upstream;
  private final Seen shown;
  private final CopyReads copy;
  private final LongAdder passedOn = new LongAdder();
  private final LongAdder madeAgain = new LongAdder();

  /**
   * @param copy null when there is none
   */
  Ranges(Channel upstream, Seen shown, CopyReads copy) {
    this.upstream = upstream;
    this.shown = shown;
    this.copy = copy;
  }

  ServerMethodDefinition<?, ?> method() {
    return ServerMethodDefinition.create(
        LOCAL,
        (call, headers) -> {
          call.request(2);
          return new Call(call, headers);
        });
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("kvorum_agent_ranges_passed_on_total", "Range calls that the cluster was asked.", passedOn.sum());
    out.counter("kvorum_agent_ranges_made_again_total", "Serializable range calls whose answer was behind what callers had been told, and which were made again.", madeAgain.sum());
  }

  /** One call; exactly one of the ways to an answer is taken, from whatever thread. */
  private final class Call extends ServerCall.Listener<RangeRequest> implements CopyReads.Answering {
    private final ServerCall<RangeRequest, Object> down;
    private final Metadata headers;
    private RangeRequest request;
    private ClientCall<RangeRequest, byte[]> up;
    private boolean cancelled;

    Call(ServerCall<RangeRequest, Object> down, Metadata headers) {
      this.down = down;
      this.headers = headers;
    }

    @Override
    public void onMessage(RangeRequest message) {
      request = message;
    }

    @Override
    public void onHalfClose() {
      if (request == null) {
        refuse(Status.INTERNAL.withDescription("grpc: the request is missing"));
      } else if (copy == null) {
        passOn();
      } else {
        copy.read(request, this);
      }
    }

    @Override
    public void onCancel() {
      ClientCall<RangeRequest, byte[]> now;
      synchronized (this) {
        cancelled = true;
        now = up;
      }
      if (now != null) {
        now.cancel("the caller has gone away", null);
      }
    }

    @Override
    public void answer(RangeReply reply, long staleMillis) {
      Status refusal = reply.refusal();
      if (refusal != null) {
        refuse(refusal);
        return;
      }
      Metadata metadata = new Metadata();
      if (staleMillis >= 0) {
        metadata.put(STALE, Long.toString(staleMillis));
      }
      if (!down.isCancelled()) {
        down.sendHeaders(metadata);
        down.sendMessage(reply);
        down.close(Status.OK, new Metadata());
      }
    }

    @Override
    public void refuse(Status reason) {
      if (!down.isCancelled()) {
        down.close(reason, new Metadata());
      }
    }

    @Override
    public void passOn() {
      ask(request);
    }

    @Override
    public void passOnLinearizable() {
      madeAgain.increment();
      ask(request.toBuilder().setSerializable(false).build());
    }

    private void ask(RangeRequest asked) {
      long mark = asked.getSerializable() ? shown.get() : 0;
      ClientCall<RangeRequest, byte[]> next = upstream.newCall(UPSTREAM, CallOptions.DEFAULT);
      synchronized (this) {
        if (cancelled) {
          return;
        }
        up = next;
      }
      passedOn.increment();
      next.start(new FromCluster(this, mark), Forwarding.forUpstream(headers));
      // A second answer would be an error; asking for it lets the call end.
      next.request(2);
      next.sendMessage(asked);
      next.halfClose();
    }
  }

  private final class FromCluster extends ClientCall.Listener<byte[]> {
    private final Call call;
    private final long mark;
    private Metadata received = new Metadata();
    private byte[] answer;

    FromCluster(Call call, long mark) {
      this.call = call;
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
      if (call.down.isCancelled()) {
        return;
      }
      if (status.isOk() && answer != null) {
        if (Seen.revisionOf(answer) < mark) {
          call.passOnLinearizable();
          return;
        }
        shown.answer(answer);
        call.down.sendHeaders(received);
        call.down.sendMessage(answer);
      }
      call.down.close(status, trailers);
    }
  }
}
