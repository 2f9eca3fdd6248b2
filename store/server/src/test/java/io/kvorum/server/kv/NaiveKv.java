package io.kvorum.server.kv;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.ResponseOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.PutWithLease;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What the rules say, done the plainest way: one whole copy of the pairs for each revision, no store, no shared code with the server. */
final class NaiveKv {
  private static final Comparator<ByteString> ORDER = ByteString.unsignedLexicographicalComparator();

  /** The request is refused. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final EtcdError error;

    Refused(EtcdError error) {
      super(error.text());
      this.error = error;
    }
  }

  private final Map<Long, TreeMap<ByteString, KeyValue>> states = new HashMap<>();
  private final Set<Long> leases = new HashSet<>();
  private TreeMap<ByteString, KeyValue> now = new TreeMap<>(ORDER);
  private long revision = 1;
  private long floor = -1;
  private boolean changed;

  NaiveKv() {
    states.put(1L, new TreeMap<>(now));
  }

  long revision() {
    return revision;
  }

  Message apply(LogRequest request) {
    Message answer = dispatch(request);
    if (changed) {
      revision++;
      states.put(revision, new TreeMap<>(now));
      changed = false;
    }
    return answer;
  }

  private Message dispatch(LogRequest request) {
    if (request.hasPut()) {
      PutRequest put = request.getPut();
      require(put.getLease() == 0 || leases.contains(put.getLease()), EtcdError.LEASE_NOT_FOUND);
      require(!keeps(put) || now.containsKey(put.getKey()), EtcdError.KEY_NOT_FOUND);
      return put(put);
    } else if (request.hasDeleteRange()) {
      return delete(request.getDeleteRange());
    } else if (request.hasTxn()) {
      return txn(request.getTxn());
    } else if (request.hasCompaction()) {
      long at = request.getCompaction().getRevision();
      require(at <= revision, EtcdError.FUTURE_REVISION);
      require(at > floor && at > 0, EtcdError.COMPACTED);
      floor = at;
      return CompactionResponse.newBuilder().setHeader(header()).build();
    } else if (request.hasLeaseGrant()) {
      require(leases.add(request.getLeaseGrant().getID()), EtcdError.LEASE_ALREADY_EXISTS);
      return LeaseGrantResponse.newBuilder().setHeader(header()).setID(request.getLeaseGrant().getID()).setTTL(request.getLeaseGrant().getTTL()).build();
    } else if (request.hasPutWithLease()) {
      return putWithLease(request.getPutWithLease());
    }
    long lease = request.getLeaseRevoke().getID();
    require(leases.remove(lease), EtcdError.LEASE_NOT_FOUND);
    changed = now.values().removeIf(pair -> pair.getLease() == lease);
    return LeaseRevokeResponse.newBuilder().setHeader(header()).build();
  }

  private PutWithLeaseResponse putWithLease(PutWithLease request) {
    require(leases.add(request.getGrant().getID()), EtcdError.LEASE_ALREADY_EXISTS);
    PutResponse put = put(request.getPut());
    PutWithLeaseResponse.Builder response =
        PutWithLeaseResponse.newBuilder().setHeader(put.getHeader()).setLease(request.getGrant().getID()).setTtl(request.getGrant().getTTL());
    return (put.hasPrevKv() ? response.setPrevKv(put.getPrevKv()) : response).build();
  }

  private static void require(boolean holds, EtcdError otherwise) {
    if (!holds) {
      throw new Refused(otherwise);
    }
  }

  private static boolean keeps(PutRequest put) {
    return put.getIgnoreValue() || put.getIgnoreLease();
  }

  private ResponseHeader header() {
    return ResponseHeader.newBuilder().setRevision(changed ? revision + 1 : revision).build();
  }

  private PutResponse put(PutRequest put) {
    KeyValue previous = now.get(put.getKey());
    KeyValue kept = previous != null ? previous : states.get(revision).get(put.getKey());
    KeyValue next =
        KeyValue.newBuilder()
            .setKey(put.getKey())
            .setValue(put.getIgnoreValue() ? kept.getValue() : put.getValue())
            .setLease(put.getIgnoreLease() ? kept.getLease() : put.getLease())
            .setCreateRevision(previous == null ? revision + 1 : previous.getCreateRevision())
            .setModRevision(revision + 1)
            .setVersion(previous == null ? 1 : previous.getVersion() + 1)
            .build();
    now.put(put.getKey(), next);
    changed = true;
    PutResponse.Builder response = PutResponse.newBuilder().setHeader(header());
    if (put.getPrevKv() && previous != null) {
      response.setPrevKv(previous);
    }
    return response.build();
  }

  private DeleteRangeResponse delete(DeleteRangeRequest delete) {
    List<KeyValue> removed = within(now, delete.getKey(), delete.getRangeEnd());
    removed.forEach(pair -> now.remove(pair.getKey()));
    changed |= !removed.isEmpty();
    DeleteRangeResponse.Builder response = DeleteRangeResponse.newBuilder().setHeader(header()).setDeleted(removed.size());
    return (delete.getPrevKv() ? response.addAllPrevKvs(removed) : response).build();
  }

  private static List<KeyValue> within(TreeMap<ByteString, KeyValue> state, ByteString key, ByteString end) {
    boolean open = end.size() == 1 && end.byteAt(0) == 0;
    return state.values().stream()
        .filter(
            pair -> {
              int fromKey = ORDER.compare(pair.getKey(), key);
              return end.isEmpty() ? fromKey == 0 : fromKey >= 0 && (open || ORDER.compare(pair.getKey(), end) < 0);
            })
        .toList();
  }

  /** A range, as of the present; its header carries the revision alone. */
  RangeResponse range(RangeRequest range) {
    long at = range.getRevision();
    require(at <= revision, EtcdError.FUTURE_REVISION);
    require(at <= 0 || at >= floor, EtcdError.COMPACTED);
    List<KeyValue> all = within(at <= 0 ? now : states.get(at), range.getKey(), range.getRangeEnd());
    RangeResponse.Builder response = RangeResponse.newBuilder().setHeader(header()).setCount(all.size());
    if (range.getCountOnly()) {
      return response.build();
    }
    boolean filtered = range.getMinModRevision() + range.getMaxModRevision() + range.getMinCreateRevision() + range.getMaxCreateRevision() != 0;
    long limit = range.getLimit() > 0 ? range.getLimit() : Long.MAX_VALUE;
    boolean none = range.getSortOrder() == RangeRequest.SortOrder.NONE;
    if (none && !filtered && limit < all.size()) {
      all = all.subList(0, (int) limit + 1);
    }
    List<KeyValue> chosen =
        all.stream()
            .filter(pair -> range.getMinModRevision() == 0 || pair.getModRevision() >= range.getMinModRevision())
            .filter(pair -> range.getMaxModRevision() == 0 || pair.getModRevision() <= range.getMaxModRevision())
            .filter(pair -> range.getMinCreateRevision() == 0 || pair.getCreateRevision() >= range.getMinCreateRevision())
            .filter(pair -> range.getMaxCreateRevision() == 0 || pair.getCreateRevision() <= range.getMaxCreateRevision())
            .sorted(order(range))
            .toList();
    response.setMore(chosen.size() > limit);
    chosen.stream().limit(limit).forEach(pair -> response.addKvs(range.getKeysOnly() ? pair.toBuilder().clearValue().build() : pair));
    return response.build();
  }

  private static Comparator<KeyValue> order(RangeRequest range) {
    Comparator<KeyValue> order =
        switch (range.getSortTarget()) {
          case KEY, UNRECOGNIZED -> Comparator.comparing(KeyValue::getKey, ORDER);
          case VERSION -> Comparator.comparingLong(KeyValue::getVersion);
          case CREATE -> Comparator.comparingLong(KeyValue::getCreateRevision);
          case MOD -> Comparator.comparingLong(KeyValue::getModRevision);
          case VALUE -> Comparator.comparing(KeyValue::getValue, ORDER);
        };
    Comparator<KeyValue> directed = range.getSortOrder() == RangeRequest.SortOrder.DESCEND ? order.reversed() : order;
    return directed.thenComparing(KeyValue::getKey, ORDER);
  }

  TxnResponse txn(TxnRequest txn) {
    Deque<Boolean> path = new ArrayDeque<>();
    decide(txn, path);
    List<RequestOp> taken = new ArrayList<>();
    flatten(txn, new ArrayDeque<>(path), taken);
    for (RequestOp op : taken) {
      if (op.hasRequestPut()) {
        PutRequest put = op.getRequestPut();
        require(!keeps(put) || now.containsKey(put.getKey()), EtcdError.KEY_NOT_FOUND);
        require(put.getLease() == 0 || leases.contains(put.getLease()), EtcdError.LEASE_NOT_FOUND);
      } else if (op.hasRequestRange() && op.getRequestRange().getRevision() != 0) {
        require(op.getRequestRange().getRevision() <= revision, EtcdError.FUTURE_REVISION);
        require(op.getRequestRange().getRevision() >= floor, EtcdError.COMPACTED);
      }
    }
    TxnResponse.Builder response = run(txn, path);
    return response.setHeader(header()).build();
  }

  private void decide(TxnRequest txn, Deque<Boolean> path) {
    boolean holds = txn.getCompareList().stream().allMatch(this::holds);
    path.add(holds);
    for (RequestOp op : holds ? txn.getSuccessList() : txn.getFailureList()) {
      if (op.hasRequestTxn()) {
        decide(op.getRequestTxn(), path);
      }
    }
  }

  private static void flatten(TxnRequest txn, Deque<Boolean> path, List<RequestOp> into) {
    for (RequestOp op : path.remove() ? txn.getSuccessList() : txn.getFailureList()) {
      if (op.hasRequestTxn()) {
        flatten(op.getRequestTxn(), path, into);
      } else {
        into.add(op);
      }
    }
  }

  private boolean holds(Compare compare) {
    List<KeyValue> pairs = within(now, compare.getKey(), compare.getRangeEnd());
    if (pairs.isEmpty()) {
      return compare.getTarget() != Compare.CompareTarget.VALUE && holds(compare, KeyValue.getDefaultInstance());
    }
    return pairs.stream().allMatch(pair -> holds(compare, pair));
  }

  private static boolean holds(Compare compare, KeyValue pair) {
    int order =
        switch (compare.getTarget()) {
          case VERSION -> Long.compare(pair.getVersion(), compare.hasVersion() ? compare.getVersion() : 0);
          case CREATE -> Long.compare(pair.getCreateRevision(), compare.hasCreateRevision() ? compare.getCreateRevision() : 0);
          case MOD -> Long.compare(pair.getModRevision(), compare.hasModRevision() ? compare.getModRevision() : 0);
          case LEASE -> Long.compare(pair.getLease(), compare.hasLease() ? compare.getLease() : 0);
          case VALUE -> ORDER.compare(pair.getValue(), compare.hasValue() ? compare.getValue() : ByteString.EMPTY);
          case UNRECOGNIZED -> 0;
        };
    return switch (compare.getResult()) {
      case EQUAL -> order == 0;
      case NOT_EQUAL -> order != 0;
      case GREATER -> order > 0;
      case LESS -> order < 0;
      case UNRECOGNIZED -> true;
    };
  }

  private TxnResponse.Builder run(TxnRequest txn, Deque<Boolean> path) {
    boolean holds = path.remove();
    TxnResponse.Builder response = TxnResponse.newBuilder().setSucceeded(holds);
    for (RequestOp op : holds ? txn.getSuccessList() : txn.getFailureList()) {
      ResponseOp.Builder answer = ResponseOp.newBuilder();
      switch (op.getRequestCase()) {
        case REQUEST_PUT -> answer.setResponsePut(put(op.getRequestPut()));
        case REQUEST_DELETE_RANGE -> answer.setResponseDeleteRange(delete(op.getRequestDeleteRange()));
        case REQUEST_RANGE -> answer.setResponseRange(range(op.getRequestRange()));
        case REQUEST_TXN -> answer.setResponseTxn(run(op.getRequestTxn(), path).setHeader(ResponseHeader.getDefaultInstance()));
        case REQUEST_NOT_SET -> throw new IllegalArgumentException();
      }
      response.addResponses(answer);
    }
    return response;
  }
}
