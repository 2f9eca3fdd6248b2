package io.kvorum.server.apply;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnsafeByteOperations;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Stored records as messages, copied out of the store. */
public final class Pairs {
  private Pairs() {}

  public static KeyValue of(Record record) {
    try {
      // The copy is ours alone, so the message may share it.
      CodedInputStream in = UnsafeByteOperations.unsafeWrap(record.toByteArray()).newCodedInput();
      in.enableAliasing(true);
      return KeyValue.parseFrom(in);
    } catch (IOException damaged) {
      throw new UncheckedIOException("record " + record.main() + "_" + record.sub() + " is not a pair", damaged);
    }
  }

  public static KeyValue withoutValue(Record record) {
    return KeyValue.newBuilder()
        .setKey(UnsafeByteOperations.unsafeWrap(record.key()))
        .setCreateRevision(record.createRevision())
        .setModRevision(record.modRevision())
        .setVersion(record.version())
        .setLease(record.lease())
        .build();
  }
}
