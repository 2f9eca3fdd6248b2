package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.EtcdError;
import java.util.List;
import java.util.function.LongFunction;

/** Whether one caller may read or write keys, at one view. Each method answers null, or the refusal. */
final class KeyAccess {
  private final AuthView view;
  private final Caller caller;

  KeyAccess(AuthView view, Caller caller) {
    this.view = view;
    this.caller = caller;
  }

  private enum Need {
    READ,
    WRITE
  }

  private EtcdError check(Need need, ByteString key, ByteString rangeEnd) {
    EtcdError refusal = view.user(caller);
    if (refusal != null || !view.enabled()) {
      return refusal;
    }
    Permissions permissions = view.permissions(caller.name());
    if (permissions.root()) {
      return null;
    }
    KeyRanges allowed = need == Need.READ ? permissions.read() : permissions.write();
    boolean covered =
        rangeEnd.isEmpty()
            ? allowed.contains(key.toByteArray())
            : allowed.covers(KeyRanges.Range.of(key.toByteArray(), rangeEnd.toByteArray()));
    return covered ? null : EtcdError.PERMISSION_DENIED;
  }

  EtcdError read(ByteString key, ByteString rangeEnd) {
    return check(Need.READ, key, rangeEnd);
  }

  EtcdError readAll(List<byte[]> keys) {
    return all(Need.READ, keys);
  }

  EtcdError writeAll(List<byte[]> keys) {
    return all(Need.WRITE, keys);
  }

  private EtcdError all(Need need, List<byte[]> keys) {
    EtcdError refusal = view.user(caller);
    if (refusal != null || !view.enabled()) {
      return refusal;
    }
    Permissions permissions = view.permissions(caller.name());
    if (permissions.root()) {
      return null;
    }
    KeyRanges allowed = need == Need.READ ? permissions.read() : permissions.write();
    for (byte[] key : keys) {
      if (!allowed.contains(key)) {
        return EtcdError.PERMISSION_DENIED;
      }
    }
    return null;
  }

  /** A put that joins a lease needs every key of the lease: when it ends they go together. */
  EtcdError put(PutRequest put, LongFunction<List<byte[]>> keysOfLease) {
    EtcdError refusal = check(Need.WRITE, put.getKey(), ByteString.EMPTY);
    if (refusal == null && put.getPrevKv()) {
      refusal = check(Need.READ, put.getKey(), ByteString.EMPTY);
    }
    return refusal == null && put.getLease() != 0 ? writeAll(keysOfLease.apply(put.getLease())) : refusal;
  }

  EtcdError delete(DeleteRangeRequest delete) {
    EtcdError refusal = check(Need.WRITE, delete.getKey(), delete.getRangeEnd());
    return refusal == null && delete.getPrevKv() ? check(Need.READ, delete.getKey(), delete.getRangeEnd()) : refusal;
  }

  /** All compares and both branches, at every depth, taken or not. */
  EtcdError txn(TxnRequest txn, LongFunction<List<byte[]>> keysOfLease) {
    for (Compare compare : txn.getCompareList()) {
      EtcdError refusal = read(compare.getKey(), compare.getRangeEnd());
      if (refusal != null) {
        return refusal;
      }
    }
    EtcdError refusal = ops(txn.getSuccessList(), keysOfLease);
    return refusal == null ? ops(txn.getFailureList(), keysOfLease) : refusal;
  }

  private EtcdError ops(List<RequestOp> ops, LongFunction<List<byte[]>> keysOfLease) {
    for (RequestOp op : ops) {
      EtcdError refusal =
          switch (op.getRequestCase()) {
            case REQUEST_RANGE -> read(op.getRequestRange().getKey(), op.getRequestRange().getRangeEnd());
            case REQUEST_PUT -> put(op.getRequestPut(), keysOfLease);
            case REQUEST_DELETE_RANGE -> delete(op.getRequestDeleteRange());
            case REQUEST_TXN -> txn(op.getRequestTxn(), keysOfLease);
            case REQUEST_NOT_SET -> null;
          };
      if (refusal != null) {
        return refusal;
      }
    }
    return null;
  }
}
