package io.kvorum.server.watch;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.server.apply.ModelStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A core over the model store, driven step by step. */
final class CoreRig {
  static final long SECOND = 1_000_000_000L;

  final ModelStore store = new ModelStore();
  final WatchCore core;
  final WatchBounds bounds;
  private long delivered = 1;
  private List<Change> undelivered = new ArrayList<>();
  long now;

  /** What the last transaction changed. */
  List<Change> lastChanges = List.of();

  CoreRig() {
    this(1 << 20, 600 * SECOND);
  }

  CoreRig(long fragmentBytes, long progressNanos) {
    this(WatchBounds.standard(fragmentBytes), progressNanos);
  }

  CoreRig(WatchBounds bounds, long progressNanos) {
    this.bounds = bounds;
    core =
        new WatchCore(
            store,
            revision -> ResponseHeader.newBuilder().setClusterId(7).setMemberId(8).setRevision(revision).setRaftTerm(2).build(),
            bounds,
            new ProgressTimer(progressNanos, new Random(1)));
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  static byte[] raw(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  WatchStream stream(FakeSink sink) {
    WatchStream stream = new WatchStream(sink, bounds);
    core.open(stream);
    return stream;
  }

  void create(WatchStream stream, WatchCreateRequest.Builder request) {
    create(stream, request, null);
  }

  void create(WatchStream stream, WatchCreateRequest.Builder request, String refusal) {
    core.create(stream, request.build(), refusal, () -> delivered, now, 0);
  }

  static WatchCreateRequest.Builder on(String key) {
    return WatchCreateRequest.newBuilder().setKey(bytes(key));
  }

  static WatchCreateRequest.Builder on(String key, String end) {
    return on(key).setRangeEnd(bytes(end));
  }

  /** One operation of a transaction. */
  interface Op {
    void run(WriteTxn txn);
  }

  static Op put(String key, String value) {
    return txn -> txn.put(raw(key), raw(value), 0);
  }

  static Op delete(String key) {
    return txn -> txn.deleteRange(raw(key), null);
  }

  /** Applies one transaction without telling the core. */
  long apply(Op... ops) {
    WriteTxn txn = store.begin();
    for (Op op : ops) {
      op.run(txn);
    }
    lastChanges = txn.end();
    undelivered.addAll(lastChanges);
    return txn.revision();
  }

  /** Publishes what was applied and tells the core, as one batch. */
  void deliver() {
    store.publish();
    core.published(delivered, store.revision(), undelivered);
    delivered = store.revision();
    undelivered = new ArrayList<>();
  }

  /** Publishes what was applied, and the core hears nothing. */
  void lose() {
    store.publish();
    delivered = store.revision();
    undelivered = new ArrayList<>();
  }

  long write(Op... ops) {
    long revision = apply(ops);
    deliver();
    return revision;
  }

  void compact(long revision) {
    store.compact(revision);
    store.publish();
    core.compacted(revision);
  }

  /** Reads history until nobody can take more. */
  void catchUp() {
    for (int slices = 0; core.catchUp(); slices++) {
      if (slices > 100_000) {
        throw new AssertionError("catching up does not end");
      }
    }
  }
}
