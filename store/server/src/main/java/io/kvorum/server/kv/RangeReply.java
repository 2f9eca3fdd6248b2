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
  private static final int HEADER_TAG = RangeResponse.HEADER_FIELD_NUMBER << 3 | 2;
  private static final int KVS_TAG = RangeResponse.KVS_FIELD_NUMBER << 3 | 2;
  private static final int MORE_TAG = RangeResponse.MORE_FIELD_NUMBER << 3;
  private static final int COUNT_TAG = RangeResponse.COUNT_FIELD_NUMBER << 3;
  private static final int TAG_AND_VARINT_MAX = 11;

  private final ResponseHeader header;
  private final Selection selection;
  private final List<KeyValue> bare;
  private final ReadView view;
  private final AtomicInteger holders = new AtomicInteger(1);

  /**
   * @param view closed with the last holder's {@link #close}
   */
  RangeReply(ResponseHeader header, Selection selection, boolean keysOnly, ReadView view) {
    this.header = header;
    this.selection = selection;
    this.bare = keysOnly ? selection.records().stream().map(Pairs::withoutValue).toList() : List.of();
    this.view = view;
  }

  private boolean keysOnly() {
    return !bare.isEmpty();
  }

  /** Bytes of the encoding. */
  long size() {
    long size = sizeOf(header.getSerializedSize());
    if (keysOnly()) {
      for (KeyValue pair : bare) {
        size += sizeOf(pair.getSerializedSize());
      }
    } else {
      for (Record record : selection.records()) {
        size += sizeOf(record.length());
      }
    }
    size += selection.more() ? 2 : 0;
    return selection.count() == 0 ? size : size + 1 + CodedOutputStream.computeUInt64SizeNoTag(selection.count());
  }

  private static long sizeOf(int length) {
    return 1L + CodedOutputStream.computeUInt32SizeNoTag(length) + length;
  }

  /** Writes exactly {@link #size} bytes. */
  void writeTo(OutputStream out) throws IOException {
    byte[] scratch = new byte[TAG_AND_VARINT_MAX];
    tagged(out, scratch, HEADER_TAG, header.getSerializedSize());
    out.write(header.toByteArray());
    if (keysOnly()) {
      for (KeyValue pair : bare) {
        tagged(out, scratch, KVS_TAG, pair.getSerializedSize());
        out.write(pair.toByteArray());
      }
    } else {
      for (Record record : selection.records()) {
        tagged(out, scratch, KVS_TAG, record.length());
        record.writeTo(out);
      }
    }
    if (selection.more()) {
      tagged(out, scratch, MORE_TAG, 1);
    }
    if (selection.count() != 0) {
      tagged(out, scratch, COUNT_TAG, selection.count());
    }
  }

  /** One byte of tag (the field numbers are below 16), then a varint. */
  private static void tagged(OutputStream out, byte[] scratch, int tag, long number) throws IOException {
    scratch[0] = (byte) tag;
    int length = 1;
    long rest = number;
    while ((rest & ~0x7fL) != 0) {
      scratch[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    scratch[length++] = (byte) rest;
    out.write(scratch, 0, length);
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
