package io.kvorum.server.kv;

import com.google.protobuf.CodedOutputStream;
import io.grpc.Status;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RangeStreamResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.apply.KeyReader;
import io.kvorum.server.apply.Pairs;
import io.kvorum.server.apply.Selection;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The answer of a range, or one piece of it: encodes itself as an {@code etcdserverpb.RangeResponse}, or as a {@code RangeStreamResponse} around one, with each stored
 * pair written as it lies in the store. Holds the view that the pairs lie in until everyone who retained it has let go.
 */
public final class RangeReply implements AutoCloseable {
  private final ResponseHeader header;
  private final Selection selection;
  private final List<KeyValue> bare;
  private final ReadView view;
  private final boolean piece;
  private final long innerSize;
  private final AtomicInteger holders = new AtomicInteger(1);

  private RangeReply(ResponseHeader header, Selection selection, boolean keysOnly, ReadView view, boolean piece) {
    this.header = header;
    this.selection = selection;
    this.bare = keysOnly ? selection.records().stream().map(Pairs::withoutValue).toList() : List.of();
    this.view = view;
    this.piece = piece;
    this.innerSize = computeSize();
  }

  /**
   * The answer to a range request.
   *
   * @param view is the answer's from now on; closed here when the request cannot be answered from it
   * @throws io.kvorum.mvcc.RevisionException when the view does not have the revision that is asked for
   */
  public static RangeReply of(ResponseHeader header, ReadView view, RangeRequest request) {
    boolean handedOver = false;
    try {
      RangeReply reply = whole(header, Selection.of(KeyReader.of(view), request), request.getKeysOnly(), view);
      handedOver = true;
      return reply;
    } finally {
      if (!handedOver) {
        view.close();
      }
    }
  }

  /**
   * A whole answer.
   *
   * @param view closed with the last holder's {@link #close}
   */
  static RangeReply whole(ResponseHeader header, Selection selection, boolean keysOnly, ReadView view) {
    return new RangeReply(header, selection, keysOnly, view, false);
  }

  /** The last piece of a streamed answer: all that {@link #whole} has, with the pairs that are left. */
  static RangeReply lastPiece(ResponseHeader header, Selection rest, boolean keysOnly, ReadView view) {
    return new RangeReply(header, rest, keysOnly, view, true);
  }

  /** Some pairs of a streamed answer. */
  static RangeReply piece(List<Record> records, boolean keysOnly, ReadView view) {
    return new RangeReply(null, new Selection(records, 0, false), keysOnly, view, true);
  }

  private boolean keysOnly() {
    return !bare.isEmpty();
  }

  /** Bytes of the encoding. */
  long size() {
    return piece ? WireWriter.sizeOf(innerSize) : innerSize;
  }

  private long computeSize() {
    long sum = header == null ? 0 : WireWriter.sizeOf(header.getSerializedSize());
    if (keysOnly()) {
      for (KeyValue pair : bare) {
        sum += WireWriter.sizeOf(pair.getSerializedSize());
      }
    } else {
      for (Record record : selection.records()) {
        sum += WireWriter.sizeOf(record.length());
      }
    }
    sum += selection.more() ? 2 : 0;
    return selection.count() == 0 ? sum : sum + 1 + CodedOutputStream.computeUInt64SizeNoTag(selection.count());
  }

  /** Why it cannot be sent: no message may be as large. Null when it can. */
  public Status refusal() {
    return size() <= Integer.MAX_VALUE
        ? null
        : Status.RESOURCE_EXHAUSTED.withDescription("grpc: trying to send message larger than max (" + size() + " vs. " + Integer.MAX_VALUE + ")");
  }

  /** Writes exactly {@link #size} bytes. */
  void writeTo(OutputStream out) throws IOException {
    WireWriter wire = new WireWriter(out, size());
    if (piece) {
      wire.begin(RangeStreamResponse.RANGE_RESPONSE_FIELD_NUMBER, innerSize);
    }
    if (header != null) {
      wire.bytes(RangeResponse.HEADER_FIELD_NUMBER, header.toByteArray());
    }
    if (keysOnly()) {
      for (KeyValue pair : bare) {
        wire.bytes(RangeResponse.KVS_FIELD_NUMBER, pair.toByteArray());
      }
    } else {
      for (Record record : selection.records()) {
        wire.bytes(RangeResponse.KVS_FIELD_NUMBER, record.bytes());
      }
    }
    if (selection.more()) {
      wire.varint(RangeResponse.MORE_FIELD_NUMBER, 1);
    }
    if (selection.count() != 0) {
      wire.varint(RangeResponse.COUNT_FIELD_NUMBER, selection.count());
    }
    wire.flush();
  }

  /** The same answer as a message, for callers other than gRPC. */
  public RangeResponse toMessage() {
    return selection.toResponse(keysOnly()).setHeader(header).build();
  }

  RangeReply retain() {
    holders.incrementAndGet();
    return this;
  }

  /** Lets go; the last one closes the view. */
  @Override
  public void close() {
    if (holders.decrementAndGet() == 0) {
      view.close();
    }
  }
}
