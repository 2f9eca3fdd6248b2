package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.bytes;

import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.PutWithLease;
import io.kvorum.server.apply.Requests;
import java.util.Random;

/** Requests over a handful of keys, revisions and leases, such as the checks before the log let through. */
final class RandomRequests {
  private static final String[] KEYS = {"a", "b", "ba", "c", "d", "e"};
  private static final String[] ENDS = {"", "", "", "\0", "a", "c", "d", "z"};
  private static final int LEASES = 3;
  private static final int MAX_OPS = 128;

  private final Random random;

  RandomRequests(long seed) {
    this.random = new Random(seed);
  }

  /**
   * @param revision about where the store stands
   */
  LogRequest.Builder next(long revision) {
    return switch (random.nextInt(12)) {
      case 0, 1, 2 -> LogRequest.newBuilder().setPut(put());
      case 3 -> LogRequest.newBuilder().setDeleteRange(delete());
      case 4 -> random.nextBoolean() ? LogRequest.newBuilder().setLeaseGrant(grant()) : LogRequest.newBuilder().setPutWithLease(putWithLease());
      case 5 ->
          random.nextInt(4) == 0
              ? LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(lease()))
              : LogRequest.newBuilder().setPut(put());
      case 6 -> random.nextInt(4) == 0 ? Requests.compaction(revision - random.nextInt(6) + 1) : LogRequest.newBuilder().setPut(put());
      default -> LogRequest.newBuilder().setTxn(txn(revision));
    };
  }

  TxnRequest.Builder txn(long revision) {
    TxnRequest.Builder txn;
    do {
      txn = txn(revision, 2);
    } while (KvChecks.txn(txn.build(), MAX_OPS) != null);
    return txn;
  }

  /** A transaction that the checks may refuse. */
  TxnRequest.Builder rawTxn(long revision) {
    return txn(revision, 2);
  }

  private TxnRequest.Builder txn(long revision, int depth) {
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    for (int i = random.nextInt(3); i > 0; i--) {
      txn.addCompare(compare(revision));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      txn.addSuccess(op(revision, depth));
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      txn.addFailure(op(revision, depth));
    }
    return txn;
  }

  private RequestOp.Builder op(long revision, int depth) {
    return switch (random.nextInt(depth > 0 ? 8 : 6)) {
      case 0, 1 -> Requests.op(range(revision));
      case 2, 3, 4 -> Requests.op(put());
      case 5 -> Requests.op(delete());
      default -> Requests.op(txn(revision, depth - 1));
    };
  }

  private Compare.Builder compare(long revision) {
    Compare.Builder compare =
        Compare.newBuilder().setKey(bytes(key())).setTargetValue(random.nextInt(5)).setResultValue(random.nextInt(4)).setRangeEnd(bytes(end()));
    switch (random.nextInt(6)) {
      case 0 -> compare.setVersion(random.nextInt(4));
      case 1 -> compare.setCreateRevision(near(revision));
      case 2 -> compare.setModRevision(near(revision));
      case 3 -> compare.setValue(bytes(value()));
      case 4 -> compare.setLease(random.nextInt(LEASES));
      default -> {
        // No operand.
      }
    }
    return compare;
  }

  RangeRequest.Builder range(long revision) {
    RangeRequest.Builder range = RangeRequest.newBuilder().setKey(bytes(key())).setRangeEnd(bytes(end()));
    if (random.nextInt(4) == 0) {
      range.setRevision(near(revision));
    }
    if (random.nextInt(2) == 0) {
      range.setLimit(random.nextInt(4)).setSortOrderValue(random.nextInt(3)).setSortTargetValue(random.nextInt(5));
    }
    if (random.nextInt(4) == 0) {
      range.setMinModRevision(filter(revision)).setMaxModRevision(filter(revision));
      range.setMinCreateRevision(filter(revision)).setMaxCreateRevision(filter(revision));
    }
    return range.setKeysOnly(random.nextInt(6) == 0).setCountOnly(random.nextInt(8) == 0);
  }

  private PutRequest.Builder put() {
    PutRequest.Builder put = PutRequest.newBuilder().setKey(bytes(key())).setPrevKv(random.nextBoolean());
    if (random.nextInt(6) == 0) {
      put.setIgnoreValue(true);
    } else {
      put.setValue(bytes(value()));
    }
    if (random.nextInt(6) == 0) {
      put.setIgnoreLease(true);
    } else if (random.nextInt(4) == 0) {
      put.setLease(lease());
    }
    return put;
  }

  private LeaseGrantRequest.Builder grant() {
    return LeaseGrantRequest.newBuilder().setID(lease()).setTTL(10 + random.nextInt(50));
  }

  private PutWithLease.Builder putWithLease() {
    LeaseGrantRequest.Builder grant = grant();
    return PutWithLease.newBuilder()
        .setGrant(grant)
        .setPut(PutRequest.newBuilder().setKey(bytes(key())).setValue(bytes(value())).setLease(grant.getID()).setPrevKv(random.nextBoolean()));
  }

  private DeleteRangeRequest.Builder delete() {
    return DeleteRangeRequest.newBuilder().setKey(bytes(key())).setRangeEnd(bytes(end())).setPrevKv(random.nextBoolean());
  }

  private String key() {
    return KEYS[random.nextInt(KEYS.length)];
  }

  private String end() {
    return ENDS[random.nextInt(ENDS.length)];
  }

  private String value() {
    return "v".repeat(random.nextInt(2)) + random.nextInt(4);
  }

  private long lease() {
    return 1 + random.nextInt(LEASES);
  }

  private long near(long revision) {
    return revision - random.nextInt(8) + 1;
  }

  private long filter(long revision) {
    return random.nextBoolean() ? 0 : Math.max(0, revision - random.nextInt(12));
  }
}
