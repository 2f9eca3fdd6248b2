package io.kvorum.server.agent;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.agent.upstream.Seen;
import io.kvorum.server.kv.RangeReply;
import io.kvorum.server.kv.TxnKind;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * KV.Range: answered from the copy where {@link CopyReads} says so, else asked of the cluster; and KV.Txn, which always is. Serializable answers of a member that is behind what
 * callers have been told are not shown.
 */
final class Ranges implements MetricSource {
  /** How old the copy is, in milliseconds, on answers of an agent that is cut off. */
  static final Metadata.Key<String> STALE = Metadata.Key.of("kvorum-stale", Metadata.ASCII_STRING_MARSHALLER);

  private final CopyReads copy;
  private final LongAdder ranges = new LongAdder();
  private final LongAdder txns = new LongAdder();
  private final LongAdder madeAgain = new LongAdder();
  private final Asking.Way<RangeRequest> rangeWay;
  private final Asking.Way<byte[]> txnWay;

  /**
   * @param copy null when there is none
   */
  Ranges(Channel upstream, Seen shown, CopyReads copy) {
    this.copy = copy;
    MethodDescriptor<RangeRequest, byte[]> range =
        KVGrpc.getRangeMethod().toBuilder(KVGrpc.getRangeMethod().getRequestMarshaller(), Bytes.AS_THEY_ARE).build();
    this.rangeWay = new Asking.Way<>(upstream, range, shown, Ranges::linearizable, ranges, madeAgain);
    MethodDescriptor<byte[], byte[]> txn = KVGrpc.getTxnMethod().toBuilder(Bytes.AS_THEY_ARE, Bytes.AS_THEY_ARE).build();
    this.txnWay = new Asking.Way<>(upstream, txn, shown, Ranges::linearizable, txns, madeAgain);
  }

  /** By bare name. */
  Map<String, ServerMethodDefinition<?, ?>> methods() {
    MethodDescriptor<RangeRequest, Object> range =
        KVGrpc.getRangeMethod().toBuilder(KVGrpc.getRangeMethod().getRequestMarshaller(), Answers.OF_READS).build();
    MethodDescriptor<byte[], Object> txn = KVGrpc.getTxnMethod().toBuilder(Bytes.AS_THEY_ARE, Answers.OF_READS).build();
    return Map.of(
        "Range", ServerMethodDefinition.create(range, RangeCall::new),
        "Txn", ServerMethodDefinition.create(txn, (call, headers) -> new Asking<>(call, headers, txnWay)));
  }

  private static RangeRequest linearizable(RangeRequest request) {
    return request.getSerializable() ? request.toBuilder().setSerializable(false).build() : null;
  }

  /** Looked into only when the answer is old: a transaction that writes never has such an answer. */
  private static byte[] linearizable(byte[] request) {
    try {
      TxnRequest txn = TxnRequest.parseFrom(request);
      return TxnKind.of(txn) == TxnKind.SERIALIZABLE_READ ? linearizable(txn).toByteArray() : null;
    } catch (InvalidProtocolBufferException broken) {
      return null;
    }
  }

  private static TxnRequest linearizable(TxnRequest txn) {
    TxnRequest.Builder again = txn.toBuilder();
    again.getSuccessBuilderList().forEach(Ranges::makeLinearizable);
    again.getFailureBuilderList().forEach(Ranges::makeLinearizable);
    return again.build();
  }

  private static void makeLinearizable(RequestOp.Builder op) {
    if (op.hasRequestTxn()) {
      op.setRequestTxn(linearizable(op.getRequestTxn()));
    } else {
      op.getRequestRangeBuilder().setSerializable(false);
    }
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("kvorum_agent_ranges_passed_on_total", "Range calls that the cluster was asked.", ranges.sum())
        .counter("kvorum_agent_txns_passed_on_total", "Txn calls that the cluster was asked.", txns.sum())
        .counter(
            "kvorum_agent_reads_made_again_total", "Serializable reads that were made again because their answer was, or would have been, behind what callers had been told.",
            madeAgain.sum());
  }

  /** Exactly one of the ways to an answer is taken, on whatever thread. */
  private final class RangeCall extends Asking<RangeRequest> implements CopyReads.Answering {
    private RangeRequest request;

    RangeCall(ServerCall<RangeRequest, Object> down, Metadata headers) {
      super(down, headers, rangeWay);
    }

    @Override
    void arrived(RangeRequest whole) {
      request = whole;
      if (copy == null) {
        passOn();
      } else {
        copy.read(whole, this);
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
      show(metadata, reply);
    }

    @Override
    public void passOn() {
      ask(request);
    }

    @Override
    public void passOnLinearizable() {
      askLinearizable(request);
    }
  }
}
