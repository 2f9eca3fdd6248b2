package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Changes that go into one transaction: no key twice, and within what a server takes by default. */
final class Batch {
  /** A server takes 128; one is the position's. */
  static final int OPS_MAX = 120;

  /** A server takes 1.5 MiB; a single larger pair goes alone, and is taken where the source's limit was raised too. */
  private static final int BYTES_MAX = 1 << 20;

  private final List<RequestOp> ops = new ArrayList<>();
  private final Set<ByteString> keys = new HashSet<>();
  private long bytes;

  boolean isEmpty() {
    return ops.isEmpty();
  }

  List<RequestOp> ops() {
    return ops;
  }

  /** Whether a change of a key can join. */
  boolean takes(KeyValue pair) {
    return ops.isEmpty() || ops.size() < OPS_MAX && bytes + pair.getSerializedSize() <= BYTES_MAX && !keys.contains(pair.getKey());
  }

  /** Whether all changes of one revision can join; no key comes twice in one. */
  boolean takesAll(List<Event> changes) {
    long more = 0;
    for (Event change : changes) {
      if (keys.contains(change.getKv().getKey())) {
        return false;
      }
      more += change.getKv().getSerializedSize();
    }
    return ops.size() + changes.size() <= OPS_MAX && bytes + more <= BYTES_MAX;
  }

  /** @param lease at the destination, 0 for none */
  void put(KeyValue pair, long lease) {
    add(pair, RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(pair.getKey()).setValue(pair.getValue()).setLease(lease)).build());
  }

  void delete(KeyValue pair) {
    add(pair, RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(pair.getKey())).build());
  }

  private void add(KeyValue pair, RequestOp op) {
    ops.add(op);
    keys.add(pair.getKey());
    bytes += pair.getSerializedSize();
  }

  void clear() {
    ops.clear();
    keys.clear();
    bytes = 0;
  }
}
