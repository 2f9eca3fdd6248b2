package io.kvorum.server.watch;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Hands the encoded bytes of a response to gRPC's framer, which copies them straight into the network buffer. */
final class WatchMessageMarshaller implements MethodDescriptor.Marshaller<WatchMessage> {
  static final WatchMessageMarshaller INSTANCE = new WatchMessageMarshaller();

  private WatchMessageMarshaller() {}

  @Override
  public InputStream stream(WatchMessage message) {
    return new MessageStream(message);
  }

  /** The server never reads what it sends. */
  @Override
  public WatchMessage parse(InputStream stream) {
    throw new UnsupportedOperationException("a watch response is only written");
  }

  private static final class MessageStream extends InputStream implements Drainable, KnownLength {
    private WatchMessage message;
    private ByteArrayInputStream flat;

    MessageStream(WatchMessage message) {
      this.message = message;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      if (message == null) {
        return flat == null ? 0 : Math.toIntExact(flat.transferTo(target));
      }
      int written = message.length();
      message.writeTo(target);
      message = null;
      return written;
    }

    @Override
    public int available() {
      return message != null ? message.length() : flat == null ? 0 : flat.available();
    }

    @Override
    public int read() {
      return flat().read();
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      return flat().read(target, offset, length);
    }

    private ByteArrayInputStream flat() {
      if (flat == null) {
        flat = new ByteArrayInputStream(message == null ? new byte[0] : message.toByteArray());
        message = null;
      }
      return flat;
    }
  }
}
