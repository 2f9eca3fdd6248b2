package io.kvorum.server.kv;

import com.google.protobuf.CodedOutputStream;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.apply.Pairs;
import io.kvorum.server.apply.Selection;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The answer of a range: encodes itself as an {@code etcdserverpb.RangeResponse}, with each stored pair written as it lies in the store. Holds the view that the pairs
 * lie in until everyone who retained it has let go.
 */
public final class RangeReply implements AutoCloseable {
  private final ResponseHeader header;
  private final Selection selection;
  private final List<KeyValue> bare;
  private final ReadView view;
  private final long size;
  private final AtomicInteger holders = new AtomicInteger(1);

  /**
   * @param view closed with the last holder's {@link #close}
   */
  RangeReply(ResponseHeader header, Selection selection, boolean keysOnly, ReadView view) {
    this.header = header;
    this.selection = selection;
    this.bare = keysOnly ? selection.records().stream().map(Pairs::withoutValue).toList() : List.of();
    this.view = view;
    this.size = computeSize();
  }

  private boolean keysOnly() {
    return !bare.isEmpty();
  }

  /** Bytes of the encoding. */
  long size() {
    return size;
  }

  private long computeSize() {
    long sum = WireWriter.sizeOf(header.getSerializedSize());
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

  /** Writes exactly {@link #size} bytes. */
  void writeTo(OutputStream out) throws IOException {
    WireWriter wire = new WireWriter(out, size);
    wire.bytes(RangeResponse.HEADER_FIELD_NUMBER, header.toByteArray());
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
