package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.ResponseOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * The branches that one transaction takes, decided as a whole before anything runs:
 *
 * <ol>
 *   <li>all comparisons, of the transaction and of those nested on the taken path, are evaluated against the state before the transaction;
 *   <li>the operations on that path are validated in their order; one refusal refuses all;
 *   <li>the operations run in order.
 * </ol>
 *
 * @param succeeded whether the comparisons hold
 * @param ops the operations of the taken branch
 * @param nested the paths of the branch's nested transactions, in their order
 */
public record TxnPath(boolean succeeded, List<RequestOp> ops, List<TxnPath> nested) {
  /** Decides the path. */
  public static TxnPath of(KeyReader reader, TxnRequest request) {
    boolean succeeded = Compares.hold(reader, request.getCompareList());
    List<RequestOp> ops = succeeded ? request.getSuccessList() : request.getFailureList();
    List<TxnPath> nested = List.of();
    for (RequestOp op : ops) {
      if (op.hasRequestTxn()) {
        nested = nested.isEmpty() ? new ArrayList<>() : nested;
        nested.add(of(reader, op.getRequestTxn()));
      }
    }
    return new TxnPath(succeeded, ops, nested);
  }

  /** Runs one operation that is no transaction. */
  @FunctionalInterface
  public interface Leaf {
    /** Null when nobody wants the answer. */
    ResponseOp run(RequestOp op);
  }

  /**
   * The first operation that cannot be done, in the order of the operations, nested ones in their place.
   *
   * @param reader the state before the transaction
   * @param leases whether a lease exists
   * @param floor the compacted revision, -1 for none
   * @return null when all are fine
   */
  public EtcdError refusal(KeyReader reader, LongPredicate leases, long floor) {
    Iterator<TxnPath> inner = nested.iterator();
    for (RequestOp op : ops) {
      EtcdError refusal =
          switch (op.getRequestCase()) {
            case REQUEST_PUT -> refusal(reader, leases, op.getRequestPut());
            case REQUEST_RANGE -> refusal(reader, floor, op.getRequestRange());
            case REQUEST_TXN -> inner.next().refusal(reader, leases, floor);
            case REQUEST_DELETE_RANGE, REQUEST_NOT_SET -> null;
          };
      if (refusal != null) {
        return refusal;
      }
    }
    return null;
  }

  /** A missing key that value or lease should be kept of comes before an unknown lease. */
  private static EtcdError refusal(KeyReader reader, LongPredicate leases, PutRequest put) {
    if ((put.getIgnoreValue() || put.getIgnoreLease()) && reader.get(put.getKey().toByteArray()) == null) {
      return EtcdError.KEY_NOT_FOUND;
    }
    return put.getLease() != 0 && !leases.test(put.getLease()) ? EtcdError.LEASE_NOT_FOUND : null;
  }

  /** Unlike outside of a transaction a negative revision is not the current one. */
  private static EtcdError refusal(KeyReader reader, long floor, RangeRequest range) {
    if (range.getRevision() == 0) {
      return null;
    }
    if (range.getRevision() > reader.revision()) {
      return EtcdError.FUTURE_REVISION;
    }
    return range.getRevision() < floor ? EtcdError.COMPACTED : null;
  }

  /** Runs the operations and builds the response without a header. */
  public TxnResponse.Builder run(Leaf leaf) {
    TxnResponse.Builder response = TxnResponse.newBuilder().setSucceeded(succeeded);
    Iterator<TxnPath> inner = nested.iterator();
    for (RequestOp op : ops) {
      ResponseOp answer;
      if (op.hasRequestTxn()) {
        // A nested transaction's header is present and empty.
        TxnResponse.Builder nestedResponse = inner.next().run(leaf).setHeader(ResponseHeader.getDefaultInstance());
        answer = ResponseOp.newBuilder().setResponseTxn(nestedResponse).build();
      } else {
        answer = leaf.run(op);
      }
      if (answer != null) {
        response.addResponses(answer);
      }
    }
    return response;
  }

  /** The answer of a range inside a transaction: its header carries the revision alone. */
  public static ResponseOp range(KeyReader reader, RangeRequest request) {
    return ResponseOp.newBuilder()
        .setResponseRange(Selection.of(reader, request).toResponse(request.getKeysOnly()).setHeader(ResponseHeader.newBuilder().setRevision(reader.revision())))
        .build();
  }
}
