package io.kvorum.server.apply;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;

/** One revision of one key, on the heap. */
record ModelRecord(long main, long sub, boolean tombstone, byte[] key, byte[] value, long createRevision, long version, long lease) implements Record {
  @Override
  public int length() {
    return toByteArray().length;
  }

  @Override
  public MemorySegment bytes() {
    return MemorySegment.ofArray(toByteArray());
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    out.write(toByteArray());
  }

  @Override
  public byte[] toByteArray() {
    return KeyValue.newBuilder()
        .setKey(ByteString.copyFrom(key))
        .setValue(ByteString.copyFrom(value))
        .setCreateRevision(createRevision)
        .setModRevision(main)
        .setVersion(version)
        .setLease(lease)
        .build()
        .toByteArray();
  }
}
