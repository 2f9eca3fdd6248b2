package io.kvorum.server.agent;

import io.grpc.MethodDescriptor;
import io.kvorum.server.kv.RangeReply;
import io.kvorum.server.kv.RangeReplyMarshaller;
import java.io.InputStream;

/** Answers of reads: those of the cluster as they have come, those of the copy from the store's own bytes. */
enum Answers implements MethodDescriptor.Marshaller<Object> {
  OF_READS;

  @Override
  public InputStream stream(Object answer) {
    return switch (answer) {
      case byte[] encoded -> Bytes.AS_THEY_ARE.stream(encoded);
      case RangeReply reply -> RangeReplyMarshaller.INSTANCE.stream(reply);
      default -> throw new IllegalArgumentException("no answer of a read: " + answer.getClass());
    };
  }

  @Override
  public Object parse(InputStream stream) {
    throw new UnsupportedOperationException("answers are only written");
  }
}
