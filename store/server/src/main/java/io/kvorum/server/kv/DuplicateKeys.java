package io.kvorum.server.kv;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The rule that one transaction changes no key twice in a way that depends on order. For one branch, recursively:
 *
 * <ol>
 *   <li>collect what its own deletions cover;
 *   <li>for each nested transaction in order, collect its puts and deletions; its puts may not be covered by the deletions seen so far (its own are not among them yet),
 *       nor repeat a put of an earlier nested one; both branches of one nested transaction may put the same key, since only one is taken; then its deletions count too;
 *   <li>each put of its own may not repeat any put seen, nor be covered by any deletion seen.
 * </ol>
 *
 * <p>So deletions may overlap, a nested put may precede a later sibling's deletion, and a deletion without an end (zero byte) is not recognised as covering later keys; all
 * three as in etcd.
 */
final class DuplicateKeys {
  private final Set<ByteString> puts = new HashSet<>();
  private final KeyCover deletions = new KeyCover();

  private DuplicateKeys() {}

  /** Whether a branch of either side breaks the rule. */
  static boolean in(TxnRequest request) {
    return of(request.getSuccessList()) == null || of(request.getFailureList()) == null;
  }

  /** What a branch changes, or null if it breaks the rule. */
  private static DuplicateKeys of(List<RequestOp> ops) {
    DuplicateKeys seen = new DuplicateKeys();
    for (RequestOp op : ops) {
      if (op.hasRequestDeleteRange()) {
        seen.delete(op.getRequestDeleteRange());
      }
    }
    for (RequestOp op : ops) {
      if (op.hasRequestTxn() && !seen.nested(op.getRequestTxn())) {
        return null;
      }
    }
    for (RequestOp op : ops) {
      if (op.hasRequestPut() && !seen.put(op.getRequestPut().getKey())) {
        return null;
      }
    }
    return seen;
  }

  private void delete(DeleteRangeRequest request) {
    if (request.getRangeEnd().isEmpty()) {
      deletions.addKey(request.getKey());
    } else {
      deletions.addRange(request.getKey(), request.getRangeEnd());
    }
  }

  private boolean put(ByteString key) {
    return !deletions.contains(key) && puts.add(key);
  }

  private boolean nested(TxnRequest request) {
    DuplicateKeys success = of(request.getSuccessList());
    DuplicateKeys failure = success == null ? null : of(request.getFailureList());
    if (failure == null) {
      return false;
    }
    for (ByteString key : success.puts) {
      if (!put(key)) {
        return false;
      }
    }
    for (ByteString key : failure.puts) {
      if (deletions.contains(key) || (!puts.add(key) && !success.puts.contains(key))) {
        return false;
      }
    }
    deletions.addAll(success.deletions);
    deletions.addAll(failure.deletions);
    return true;
  }
}
