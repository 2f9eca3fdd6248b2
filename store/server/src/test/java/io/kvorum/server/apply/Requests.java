package io.kvorum.server.apply;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.LogRequest;

/** Short hands for requests. */
public final class Requests {
  private Requests() {}

  public static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  public static PutRequest.Builder put(String key, String value) {
    return PutRequest.newBuilder().setKey(bytes(key)).setValue(bytes(value));
  }

  public static DeleteRangeRequest.Builder delete(String key) {
    return DeleteRangeRequest.newBuilder().setKey(bytes(key));
  }

  public static DeleteRangeRequest.Builder delete(String key, String end) {
    return delete(key).setRangeEnd(bytes(end));
  }

  public static RangeRequest.Builder range(String key) {
    return RangeRequest.newBuilder().setKey(bytes(key));
  }

  public static RangeRequest.Builder range(String key, String end) {
    return range(key).setRangeEnd(bytes(end));
  }

  public static RequestOp.Builder op(PutRequest.Builder put) {
    return RequestOp.newBuilder().setRequestPut(put);
  }

  public static RequestOp.Builder op(DeleteRangeRequest.Builder delete) {
    return RequestOp.newBuilder().setRequestDeleteRange(delete);
  }

  public static RequestOp.Builder op(RangeRequest.Builder range) {
    return RequestOp.newBuilder().setRequestRange(range);
  }

  public static RequestOp.Builder op(TxnRequest.Builder txn) {
    return RequestOp.newBuilder().setRequestTxn(txn);
  }

  /** A transaction whose comparisons hold: the operations run. */
  public static TxnRequest.Builder then(RequestOp.Builder... ops) {
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    for (RequestOp.Builder op : ops) {
      txn.addSuccess(op);
    }
    return txn;
  }

  /** A branch that is not taken. */
  public static TxnRequest.Builder otherwise(TxnRequest.Builder txn, RequestOp.Builder... ops) {
    for (RequestOp.Builder op : ops) {
      txn.addFailure(op);
    }
    return txn;
  }

  public static Compare.Builder version(String key, Compare.CompareResult result, long version) {
    return Compare.newBuilder().setKey(bytes(key)).setTarget(Compare.CompareTarget.VERSION).setResult(result).setVersion(version);
  }

  public static LogRequest.Builder log(PutRequest.Builder put) {
    return LogRequest.newBuilder().setPut(put);
  }

  public static LogRequest.Builder log(DeleteRangeRequest.Builder delete) {
    return LogRequest.newBuilder().setDeleteRange(delete);
  }

  public static LogRequest.Builder log(TxnRequest.Builder txn) {
    return LogRequest.newBuilder().setTxn(txn);
  }

  public static LogRequest.Builder compaction(long revision) {
    return LogRequest.newBuilder().setCompaction(CompactionRequest.newBuilder().setRevision(revision));
  }
}
