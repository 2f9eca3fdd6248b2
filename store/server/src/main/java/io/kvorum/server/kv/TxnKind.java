package io.kvorum.server.kv;

import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import java.util.List;

/** How a transaction is served. */
public enum TxnKind {
  /** It may change something: through the log. */
  WRITE,
  /** It only reads, in both branches and all nested ones: a linearizable read, without a log entry. */
  LINEARIZABLE_READ,
  /** It only reads, has at least one range, and all its ranges are serializable: the local state at once. */
  SERIALIZABLE_READ;

  /** Looks at all operations, nested ones too. */
  public static TxnKind of(TxnRequest request) {
    Ops ops = new Ops();
    ops.visit(request);
    if (ops.writes) {
      return WRITE;
    }
    return ops.ranges > 0 && ops.ranges == ops.serializable ? SERIALIZABLE_READ : LINEARIZABLE_READ;
  }

  /** Whether it reads or compares single keys only: cheap enough to be answered on any thread. */
  static boolean isSmall(TxnRequest request) {
    for (Compare compare : request.getCompareList()) {
      if (!compare.getRangeEnd().isEmpty()) {
        return false;
      }
    }
    return isSmall(request.getSuccessList()) && isSmall(request.getFailureList());
  }

  private static boolean isSmall(List<RequestOp> ops) {
    for (RequestOp op : ops) {
      if (op.hasRequestTxn() ? !isSmall(op.getRequestTxn()) : !op.getRequestRange().getRangeEnd().isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private static final class Ops {
    private boolean writes;
    private int ranges;
    private int serializable;

    void visit(TxnRequest request) {
      visit(request.getSuccessList());
      visit(request.getFailureList());
    }

    private void visit(List<RequestOp> ops) {
      for (RequestOp op : ops) {
        switch (op.getRequestCase()) {
          case REQUEST_RANGE -> {
            ranges++;
            serializable += op.getRequestRange().getSerializable() ? 1 : 0;
          }
          case REQUEST_TXN -> visit(op.getRequestTxn());
          case REQUEST_PUT, REQUEST_DELETE_RANGE, REQUEST_NOT_SET -> writes = true;
        }
      }
    }
  }
}
