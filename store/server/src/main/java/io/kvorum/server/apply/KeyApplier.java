package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.ResponseOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.PutWithLease;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import io.kvorum.server.base.EtcdError;
import java.util.List;

/** Puts, deletions, transactions and compactions. What is answered is built only where somebody waits; what changes never depends on that. */
final class KeyApplier {
  private final Writes writes;
  private final LeaseState leases;
  private final ApplyMeter meter;

  KeyApplier(Writes writes, LeaseState leases, ApplyMeter meter) {
    this.writes = writes;
    this.leases = leases;
    this.meter = meter;
  }

  Result put(PutRequest request, boolean heard) {
    // Outside of a transaction the lease is looked at first, inside last.
    if (request.getLease() != 0 && !leases.contains(request.getLease())) {
      return new Result.Refusal(EtcdError.LEASE_NOT_FOUND);
    }
    WriteTxn txn = writes.begin();
    boolean keeps = request.getIgnoreValue() || request.getIgnoreLease();
    if (keeps && txn.get(request.getKey().toByteArray()) == null) {
      writes.end(txn);
      return new Result.Refusal(EtcdError.KEY_NOT_FOUND);
    }
    PutResponse response = put(txn, writes.revision(), request, heard);
    writes.end(txn);
    return heard ? new Result.Answer(response) : Result.UNHEARD;
  }

  /** Grants a lease and puts a key under it; what can be refused is the lease, before anything has changed. */
  Result putWithLease(PutWithLease request, boolean heard) {
    EtcdError refusal = leases.grant(request.getGrant());
    if (refusal != null) {
      return new Result.Refusal(refusal);
    }
    WriteTxn txn = writes.begin();
    PutResponse put = put(txn, writes.revision(), request.getPut(), heard);
    writes.end(txn);
    if (!heard) {
      return Result.UNHEARD;
    }
    PutWithLeaseResponse.Builder response =
        PutWithLeaseResponse.newBuilder().setHeader(put.getHeader()).setLease(request.getGrant().getID()).setTtl(request.getGrant().getTTL());
    return new Result.Answer((put.hasPrevKv() ? response.setPrevKv(put.getPrevKv()) : response).build());
  }

  Result deleteRange(DeleteRangeRequest request, boolean heard) {
    WriteTxn txn = writes.begin();
    DeleteRangeResponse response = deleteRange(txn, request, heard);
    writes.end(txn);
    return heard ? new Result.Answer(response) : Result.UNHEARD;
  }

  Result txn(TxnRequest request, boolean heard) {
    WriteTxn txn = writes.begin();
    KeyReader reader = KeyReader.of(txn);
    long before = writes.revision();
    TxnPath path = TxnPath.of(reader, request);
    EtcdError refusal = path.refusal(reader, leases::contains, writes.floor());
    if (refusal != null) {
      writes.end(txn);
      return new Result.Refusal(refusal);
    }
    var response = path.run(op -> run(txn, reader, before, op, heard)).setHeader(header(txn.revision()));
    meter.txn(path.ops().size());
    writes.end(txn);
    return heard ? new Result.Answer(response.build()) : Result.UNHEARD;
  }

  Result compact(CompactionRequest request, boolean heard) {
    EtcdError refusal = writes.compact(request.getRevision());
    if (refusal != null) {
      return new Result.Refusal(refusal);
    }
    return heard ? new Result.Answer(CompactionResponse.newBuilder().setHeader(header(writes.revision())).build()) : Result.UNHEARD;
  }

  static ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder().setRevision(revision).build();
  }

  private ResponseOp run(WriteTxn txn, KeyReader reader, long before, RequestOp op, boolean heard) {
    switch (op.getRequestCase()) {
      case REQUEST_RANGE -> {
        meter.range();
        return heard ? TxnPath.range(reader, op.getRequestRange()) : null;
      }
      case REQUEST_PUT -> {
        PutResponse response = put(txn, before, op.getRequestPut(), heard);
        return heard ? ResponseOp.newBuilder().setResponsePut(response).build() : null;
      }
      case REQUEST_DELETE_RANGE -> {
        DeleteRangeResponse response = deleteRange(txn, op.getRequestDeleteRange(), heard);
        return heard ? ResponseOp.newBuilder().setResponseDeleteRange(response).build() : null;
      }
      case REQUEST_TXN, REQUEST_NOT_SET -> throw new IllegalStateException("an operation that the checks before the log let through: " + op.getRequestCase());
    }
    throw new IllegalStateException("unreachable");
  }

  private PutResponse put(WriteTxn txn, long before, PutRequest request, boolean heard) {
    byte[] key = request.getKey().toByteArray();
    boolean keeps = request.getIgnoreValue() || request.getIgnoreLease();
    boolean tells = request.getPrevKv() && heard;
    PutResponse.Builder response = heard ? PutResponse.newBuilder() : null;
    byte[] value = request.getValue().toByteArray();
    long lease = request.getLease();
    if (keeps || tells) {
      Record previous = txn.get(key);
      if (tells && previous != null) {
        response.setPrevKv(Pairs.of(previous));
      }
      if (keeps) {
        Record kept = previous != null ? previous : asBefore(txn, key, before);
        value = request.getIgnoreValue() ? kept.value() : value;
        lease = request.getIgnoreLease() ? kept.lease() : lease;
      }
    }
    txn.put(key, value, lease);
    meter.put(key.length + value.length);
    return heard ? response.setHeader(header(txn.revision())).build() : null;
  }

  /** A key that this same transaction has deleted (the duplicate rule overlooks open-ended deletions) keeps what it had before the transaction. */
  private static Record asBefore(WriteTxn txn, byte[] key, long before) {
    List<Record> records = txn.range(new RangeQuery(key, new byte[0], before, 1, false)).records();
    if (records.isEmpty()) {
      throw new IllegalStateException("the key was there when the transaction was validated");
    }
    return records.getFirst();
  }

  private DeleteRangeResponse deleteRange(WriteTxn txn, DeleteRangeRequest request, boolean heard) {
    byte[] key = request.getKey().toByteArray();
    byte[] end = request.getRangeEnd().toByteArray();
    DeleteRangeResponse.Builder response = heard ? DeleteRangeResponse.newBuilder() : null;
    if (heard && request.getPrevKv()) {
      for (Record record : txn.range(new RangeQuery(key, end, 0, 0, false)).records()) {
        response.addPrevKvs(Pairs.of(record));
      }
    }
    List<Change> changes = txn.deleteRange(key, end);
    meter.deletion();
    return heard ? response.setDeleted(changes.size()).setHeader(header(txn.revision())).build() : null;
  }
}
