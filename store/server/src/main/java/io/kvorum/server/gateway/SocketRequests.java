package io.kvorum.server.gateway;

import com.google.protobuf.Message;
import io.kvorum.server.front.HttpHandler;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executor;

/** The requests that come as messages of a WebSocket, any number in each. The next message is taken when those of the one before have been sent on. */
final class SocketRequests implements Requests {
  private final HttpHandler.WebSocket socket;
  private final Executor threads;
  private final Message empty;
  private final JsonForms forms;
  private Runnable onMore = () -> {};
  private Requests.Written message;
  private boolean waiting;

  /**
   * @param threads where messages are read
   */
  SocketRequests(HttpHandler.WebSocket socket, Executor threads, Message empty, JsonForms forms) {
    this.socket = socket;
    this.threads = threads;
    this.empty = empty;
    this.forms = forms;
  }

  /** Who asks again when a message has come. */
  void onMore(Runnable action) {
    this.onMore = action;
  }

  @Override
  public synchronized Message next() {
    Message next = message == null ? null : message.next();
    if (next == null && !over() && !waiting) {
      waiting = true;
      socket.receive(bytes -> threads.execute(() -> take(bytes)));
    }
    return next;
  }

  private void take(byte[] bytes) {
    synchronized (this) {
      waiting = false;
      message = new Requests.Written(new JsonValues(new String(bytes, StandardCharsets.UTF_8)), empty, forms);
    }
    onMore.run();
  }

  @Override
  public synchronized boolean over() {
    return message != null && message.failed();
  }
}
