package io.kvorum.server.agent.copy;

import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.EtcdError;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * One question to the cluster that tells three things: whether a quorum answers, how far it is, and whether this caller may still read every mirrored prefix. A linearizable read
 * of one key of each prefix, several prefixes in one transaction.
 */
final class Heartbeat {
  /** Prefixes that one transaction takes. */
  static final int SPANS_MAX = 128;

  private static final long CALL_SECONDS = 5;
  private static final Set<String> REFUSALS = Set.of(EtcdError.USER_NAME_IS_EMPTY.text(), EtcdError.AUTHENTICATION_FAILED.text());

  private final Channel channel;
  private final List<Span> spans;

  /** @param spans at most {@value #SPANS_MAX} */
  Heartbeat(Channel channel, List<Span> spans) {
    this.channel = channel;
    this.spans = spans;
  }

  /** The answer's header; on a thread of the channel's. */
  CompletableFuture<ResponseHeader> ask() {
    if (spans.size() == 1) {
      return Calls.unary(channel, KVGrpc.getRangeMethod(), look(spans.getFirst()), CALL_SECONDS).thenApply(answer -> answer.getHeader());
    }
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    spans.forEach(span -> txn.addSuccess(RequestOp.newBuilder().setRequestRange(look(span))));
    return Calls.unary(channel, KVGrpc.getTxnMethod(), txn.build(), CALL_SECONDS).thenApply(answer -> answer.getHeader());
  }

  private static RangeRequest look(Span span) {
    return RangeRequest.newBuilder().setKey(span.rangeKey()).setRangeEnd(span.rangeEnd()).setLimit(1).setKeysOnly(true).build();
  }

  /** Whether the cluster answered that this caller may not read: its user, password, token or permission is gone. */
  static boolean refused(Status status) {
    return switch (status.getCode()) {
      case PERMISSION_DENIED, UNAUTHENTICATED -> true;
      default -> status.getDescription() != null && REFUSALS.contains(status.getDescription());
    };
  }
}
