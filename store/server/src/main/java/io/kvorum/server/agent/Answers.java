package io.kvorum.server.agent;

import io.grpc.MethodDescriptor;
import java.io.InputStream;

/** Answers that have come from the cluster as they are, and those of this process as messages. */
enum Answers implements MethodDescriptor.Marshaller<Object> {
  ENCODED;

  @Override
  public InputStream stream(Object answer) {
    return switch (answer) {
      case byte[] encoded -> Bytes.AS_THEY_ARE.stream(encoded);
      case com.google.protobuf.MessageLite message -> Bytes.AS_THEY_ARE.stream(message.toByteArray());
      default -> throw new IllegalArgumentException("no answer: " + answer.getClass());
    };
  }

  @Override
  public Object parse(InputStream stream) {
    throw new UnsupportedOperationException("answers are only written");
  }
}
