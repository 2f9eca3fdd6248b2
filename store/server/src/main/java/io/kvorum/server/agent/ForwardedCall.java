package io.kvorum.server.agent;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.kvorum.server.agent.upstream.Seen;

/** One call that is passed on. In each direction one message is under way: the next is asked for when the reader can take it. */
final class ForwardedCall extends ServerCall.Listener<byte[]> {
  private final ServerCall<byte[], byte[]> down;
  private final ClientCall<byte[], byte[]> up;
  private final Seen shown;
  private boolean requestOwed;
  private boolean answerOwed;

  ForwardedCall(ServerCall<byte[], byte[]> down, ClientCall<byte[], byte[]> up, Seen shown) {
    this.down = down;
    this.up = up;
    this.shown = shown;
  }

  void start(Metadata headers) {
    up.start(new FromCluster(), headers);
    down.request(1);
    up.request(1);
  }

  @Override
  public void onMessage(byte[] message) {
    up.sendMessage(message);
    if (takesMore()) {
      down.request(1);
    }
  }

  private boolean takesMore() {
    synchronized (this) {
      requestOwed = !up.isReady();
      return !requestOwed;
    }
  }

  @Override
  public void onHalfClose() {
    up.halfClose();
  }

  @Override
  public void onCancel() {
    up.cancel("the caller has gone away", null);
  }

  @Override
  public void onReady() {
    boolean owed;
    synchronized (this) {
      owed = answerOwed;
      answerOwed = false;
    }
    if (owed) {
      up.request(1);
    }
  }

  private final class FromCluster extends ClientCall.Listener<byte[]> {
    @Override
    public void onHeaders(Metadata headers) {
      down.sendHeaders(headers);
    }

    @Override
    public void onMessage(byte[] message) {
      shown.answer(message);
      down.sendMessage(message);
      boolean more;
      synchronized (ForwardedCall.this) {
        answerOwed = !down.isReady();
        more = !answerOwed;
      }
      if (more) {
        up.request(1);
      }
    }

    @Override
    public void onReady() {
      boolean owed;
      synchronized (ForwardedCall.this) {
        owed = requestOwed;
        requestOwed = false;
      }
      if (owed) {
        down.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!down.isCancelled()) {
        down.close(status, trailers);
      }
    }
  }
}
