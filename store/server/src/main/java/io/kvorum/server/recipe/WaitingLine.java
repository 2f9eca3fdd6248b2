package io.kvorum.server.recipe;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;

/** The line of those who want what a name stands for: the keys under {@code name/}, one for each lease, in the order of their creation. The first is the owner. */
final class WaitingLine {
  private final LocalStore store;
  private final ByteString prefix;

  WaitingLine(LocalStore store, ByteString name) {
    this.store = store;
    this.prefix = name.concat(ByteString.copyFromUtf8("/"));
  }

  /**
   * A place in the line.
   *
   * @param key stands for it
   * @param revision of the key's creation
   * @param taken made by this call, not found
   * @param present the key as it was found, null when it was made
   * @param answer of the transaction
   */
  record Place(ByteString key, long revision, boolean taken, KeyValue present, TxnResponse answer) {
    /** Whether the one who stands here owned the name at once; asks for the owner to have been read. */
    boolean isFirst() {
      RangeResponse owners = answer.getResponses(1).getResponseRange();
      return owners.getKvsCount() == 0 || owners.getKvs(0).getCreateRevision() == revision;
    }
  }

  /** Takes the place of a lease, or finds it. Not cut short by the end of the call, so that the outcome is known. */
  Place enter(long lease, ByteString value) {
    ByteString key = prefix.concat(ByteString.copyFromUtf8(hex(lease)));
    RequestOp owner = RequestOp.newBuilder().setRequestRange(oldest()).build();
    TxnRequest request =
        TxnRequest.newBuilder()
            .addCompare(LocalStore.created(key, 0))
            .addSuccess(RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value).setLease(lease)))
            .addSuccess(owner)
            .addFailure(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key)))
            .addFailure(owner)
            .build();
    TxnResponse answer = Untouched.call(() -> store.txn(request));
    if (answer.getSucceeded()) {
      return new Place(key, answer.getHeader().getRevision(), true, null, answer);
    }
    KeyValue present = answer.getResponses(0).getResponseRange().getKvs(0);
    return new Place(key, present.getCreateRevision(), false, present, answer);
  }

  /** Waits until nobody stands before this revision. */
  void awaitTurn(long revision) {
    RangeRequest before =
        all().setSortTarget(RangeRequest.SortTarget.CREATE).setSortOrder(RangeRequest.SortOrder.DESCEND).setLimit(1).setMaxCreateRevision(revision - 1).build();
    while (true) {
      RangeResponse nearest = store.range(before);
      if (nearest.getKvsCount() == 0) {
        return;
      }
      awaitDeletion(nearest.getKvs(0).getKey(), nearest.getHeader().getRevision());
    }
  }

  private void awaitDeletion(ByteString key, long from) {
    WatchCreateRequest request = WatchCreateRequest.newBuilder().setKey(key).setStartRevision(from).addFilters(WatchCreateRequest.FilterType.NOPUT).build();
    try (LocalStore.Watching watching = store.watch(request)) {
      WatchResponse response = watching.next();
      while (response != null && response.getEventsList().stream().noneMatch(event -> event.getType() == Event.EventType.DELETE)) {
        response = watching.next();
      }
    }
  }

  /** Gives a place up, unless it is another one by now; whatever became of the call. */
  void leave(Place place) {
    RequestOp delete = RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(place.key())).build();
    Untouched.call(() -> store.guarded(place.key(), place.revision(), delete));
  }

  /** The owner's key, which is the oldest. */
  RangeRequest oldest() {
    return all().setSortTarget(RangeRequest.SortTarget.CREATE).setSortOrder(RangeRequest.SortOrder.ASCEND).setLimit(1).build();
  }

  private RangeRequest.Builder all() {
    return RangeRequest.newBuilder().setKey(prefix).setRangeEnd(end());
  }

  ByteString prefix() {
    return prefix;
  }

  /** Behind all keys with the prefix, which ends with a slash. */
  ByteString end() {
    return prefix.substring(0, prefix.size() - 1).concat(ByteString.copyFromUtf8("0"));
  }

  /** As etcd's clients write it: lower case, no padding. */
  private static String hex(long lease) {
    return lease < 0 ? "-" + Long.toHexString(-lease) : Long.toHexString(lease);
  }

  /** What must be brought to an end even when the caller has gone away. */
  private static final class Untouched {
    static <T> T call(java.util.function.Supplier<T> action) {
      Context detached = Context.current().fork();
      Context before = detached.attach();
      try {
        return action.get();
      } finally {
        detached.detach(before);
      }
    }
  }
}
