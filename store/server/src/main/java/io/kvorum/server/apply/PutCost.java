package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.LogRequest;
import java.util.List;

/** What a request may add to the database, in bytes, by etcd's rule: an estimate that the quota is checked against before the log. */
public final class PutCost {
  private static final long PUT_OVERHEAD_BYTES = 256;
  private static final long LEASE_BYTES = 64;

  private PutCost() {}

  /** 0 for what adds nothing. */
  public static long of(LogRequest.Builder request) {
    if (request.hasPut()) {
      return of(request.getPut());
    }
    if (request.hasTxn()) {
      return of(request.getTxn());
    }
    if (request.hasPutWithLease()) {
      return LEASE_BYTES + of(request.getPutWithLease().getPut());
    }
    return request.hasLeaseGrant() ? LEASE_BYTES : 0;
  }

  static long of(PutRequest put) {
    return PUT_OVERHEAD_BYTES + put.getKey().size() + put.getValue().size();
  }

  /** The larger of the two branches, nested transactions included. */
  static long of(TxnRequest txn) {
    return Math.max(of(txn.getSuccessList()), of(txn.getFailureList()));
  }

  private static long of(List<RequestOp> ops) {
    long sum = 0;
    for (RequestOp op : ops) {
      switch (op.getRequestCase()) {
        case REQUEST_PUT -> sum += of(op.getRequestPut());
        case REQUEST_TXN -> sum += of(op.getRequestTxn());
        case REQUEST_RANGE, REQUEST_DELETE_RANGE, REQUEST_NOT_SET -> {
          // Free.
        }
      }
    }
    return sum;
  }
}
