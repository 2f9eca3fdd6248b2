package io.kvorum.server.kv;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * Hands a {@link RangeReply} to gRPC. The netty transport drains the stream into its buffers within {@code onNext}, so the pairs go from the store to the network buffers in
 * one copy; a transport that reads the stream later finds the view still open, because the stream holds it until it is closed.
 */
public final class RangeReplyMarshaller implements MethodDescriptor.Marshaller<RangeReply> {
  public static final RangeReplyMarshaller INSTANCE = new RangeReplyMarshaller();

  private RangeReplyMarshaller() {}

  @Override
  public InputStream stream(RangeReply reply) {
    return new ReplyStream(reply.retain());
  }

  @Override
  public RangeReply parse(InputStream stream) {
    throw new UnsupportedOperationException("answers are only written");
  }

  private static final class ReplyStream extends InputStream implements Drainable, KnownLength {
    private final RangeReply reply;
    private final int size;
    private boolean drained;
    private boolean closed;
    private InputStream copy;

    ReplyStream(RangeReply reply) {
      this.reply = reply;
      this.size = Math.toIntExact(reply.size());
    }

    @Override
    public int available() throws IOException {
      if (drained) {
        return 0;
      }
      return copy == null ? size : copy.available();
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      if (copy != null) {
        return (int) copy.transferTo(target);
      }
      reply.writeTo(target);
      drained = true;
      return size;
    }

    @Override
    public int read() throws IOException {
      return copy().read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      return copy().read(into, offset, length);
    }

    private InputStream copy() throws IOException {
      if (drained) {
        return InputStream.nullInputStream();
      }
      if (copy == null) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(size);
        reply.writeTo(bytes);
        copy = new ByteArrayInputStream(bytes.toByteArray());
      }
      return copy;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        reply.close();
      }
    }
  }
}
