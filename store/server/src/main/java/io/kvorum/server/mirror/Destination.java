package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import java.io.IOException;

/**
 * Where changes are made. Each transaction also writes the position, if the position is still the one that this mirror wrote last: so a transaction whose answer was lost is not made
 * twice, and a second mirror is noticed.
 */
final class Destination {
  private final Remote remote;
  private final ByteString positionKey;
  private Position position;
  private long positionRevision;

  Destination(Remote remote, ByteString positionKey) {
    this.remote = remote;
    this.positionKey = positionKey;
  }

  ByteString positionKey() {
    return positionKey;
  }

  /** The last one written; null when there is none. */
  Position position() {
    return position;
  }

  /** Reads the position that an earlier mirror left. */
  void load() throws IOException, InterruptedException {
    RangeResponse found = remote.kv(kv -> kv.range(RangeRequest.newBuilder().setKey(positionKey).build()));
    if (found.getKvsCount() > 0) {
      position = Position.decode(found.getKvs(0).getValue());
      positionRevision = found.getKvs(0).getModRevision();
    }
  }

  /** Live keys in a range, the position left out. */
  long count(Span span) throws IOException, InterruptedException {
    RangeRequest request = RangeRequest.newBuilder().setKey(span.from()).setRangeEnd(span.to()).setCountOnly(true).build();
    return remote.kv(kv -> kv.range(request)).getCount() - (position != null && span.contains(positionKey) ? 1 : 0);
  }

  /**
   * Makes the changes of a batch and empties it.
   *
   * @throws GapException when somebody else wrote the position
   */
  void commit(Batch batch, Position next) throws IOException, InterruptedException, GapException {
    ByteString value = next.encode();
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    txn.addCompare(
        Compare.newBuilder().setResult(Compare.CompareResult.EQUAL).setTarget(Compare.CompareTarget.MOD).setKey(positionKey).setModRevision(positionRevision));
    txn.addAllSuccess(batch.ops());
    txn.addSuccess(RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(positionKey).setValue(value)));
    txn.addFailure(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(positionKey)));
    TxnResponse answer = remote.kv(kv -> kv.txn(txn.build()));
    if (answer.getSucceeded()) {
      positionRevision = answer.getHeader().getRevision();
    } else {
      RangeResponse there = answer.getResponses(0).getResponseRange();
      if (there.getKvsCount() == 0 || !there.getKvs(0).getValue().equals(value)) {
        throw new GapException("somebody else wrote the position " + positionKey.toStringUtf8() + " in the destination; is another mirror running?");
      }
      // The transaction was made, and its answer lost.
      positionRevision = there.getKvs(0).getModRevision();
    }
    position = next;
    batch.clear();
  }
}
