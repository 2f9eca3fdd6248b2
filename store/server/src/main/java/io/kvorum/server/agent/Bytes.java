package io.kvorum.server.agent;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Messages as they are on the wire: what is passed on is not taken apart. */
enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
  AS_THEY_ARE;

  @Override
  public InputStream stream(byte[] message) {
    return new Whole(message);
  }

  @Override
  public byte[] parse(InputStream stream) {
    try {
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class Whole extends ByteArrayInputStream implements KnownLength, Drainable {
    Whole(byte[] message) {
      super(message);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      return (int) transferTo(target);
    }
  }
}
