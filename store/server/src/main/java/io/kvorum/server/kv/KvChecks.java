package io.kvorum.server.kv;

import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortOrder;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortTarget;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.EtcdError;
import java.util.List;

/** What is wrong with a request by itself, whatever the store holds; in etcd's order. Every check returns null when all is well. */
public final class KvChecks {
  private KvChecks() {}

  public static EtcdError range(RangeRequest request) {
    if (request.getKey().isEmpty()) {
      return EtcdError.EMPTY_KEY;
    }
    boolean unknown = request.getSortOrder() == SortOrder.UNRECOGNIZED || request.getSortTarget() == SortTarget.UNRECOGNIZED;
    return unknown ? EtcdError.INVALID_SORT_OPTION : null;
  }

  static EtcdError put(PutRequest request) {
    if (request.getKey().isEmpty()) {
      return EtcdError.EMPTY_KEY;
    }
    if (request.getIgnoreValue() && !request.getValue().isEmpty()) {
      return EtcdError.VALUE_IS_PROVIDED;
    }
    return request.getIgnoreLease() && request.getLease() != 0 ? EtcdError.LEASE_IS_PROVIDED : null;
  }

  static EtcdError deleteRange(DeleteRangeRequest request) {
    return request.getKey().isEmpty() ? EtcdError.EMPTY_KEY : null;
  }

  /**
   * Both branches of a transaction, taken or not, and the duplicate-key rule.
   *
   * @param maxOps most operations in one list; a nested transaction has what its parent's longest list leaves
   */
  static EtcdError txn(TxnRequest request, int maxOps) {
    EtcdError refusal = lists(request, maxOps);
    if (refusal == null && DuplicateKeys.in(request)) {
      return EtcdError.DUPLICATE_KEY;
    }
    return refusal;
  }

  private static EtcdError lists(TxnRequest request, int maxOps) {
    int longest = Math.max(request.getCompareCount(), Math.max(request.getSuccessCount(), request.getFailureCount()));
    if (longest > maxOps) {
      return EtcdError.TOO_MANY_TXN_OPERATIONS;
    }
    for (Compare compare : request.getCompareList()) {
      if (compare.getKey().isEmpty()) {
        return EtcdError.EMPTY_KEY;
      }
    }
    EtcdError refusal = ops(request.getSuccessList(), maxOps - longest);
    return refusal == null ? ops(request.getFailureList(), maxOps - longest) : refusal;
  }

  private static EtcdError ops(List<RequestOp> ops, int nestedMaxOps) {
    for (RequestOp op : ops) {
      EtcdError refusal =
          switch (op.getRequestCase()) {
            case REQUEST_RANGE -> range(op.getRequestRange());
            case REQUEST_PUT -> put(op.getRequestPut());
            case REQUEST_DELETE_RANGE -> deleteRange(op.getRequestDeleteRange());
            case REQUEST_TXN -> lists(op.getRequestTxn(), nestedMaxOps);
            case REQUEST_NOT_SET -> EtcdError.KEY_NOT_FOUND;
          };
      if (refusal != null) {
        return refusal;
      }
    }
    return null;
  }
}
