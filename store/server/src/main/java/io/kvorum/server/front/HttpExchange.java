package io.kvorum.server.front;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** One request that waits for its answer, whole or in pieces. Its state belongs to the connection's event loop. */
final class HttpExchange implements HttpHandler.Responder, HttpHandler.Stream {
  private final ChannelHandlerContext context;
  private final ChannelWaits waits;
  private final boolean headOnly;
  private final boolean reusable;
  private final Consumer<Boolean> ended;
  private final Consumer<HttpResponse> whole;
  private final Supplier<HttpHandler.WebSocket> upgrade;
  private final OutboundBudget.Connection outbound;
  private OutboundBudget.Held held;
  private boolean closed;

  /**
   * @param headOnly the client wants no body
   * @param reusable the connection may serve another request after an answer in pieces, which HTTP/1.0 cannot
   * @param ended told when an answer in pieces is complete, and whether the connection goes on
   * @param whole takes a whole answer
   * @param upgrade makes the connection a WebSocket
   * @param outbound null for no bound
   */
  HttpExchange(ChannelHandlerContext context, boolean headOnly, boolean reusable, Consumer<Boolean> ended, Consumer<HttpResponse> whole,
      Supplier<HttpHandler.WebSocket> upgrade, OutboundBudget.Connection outbound) {
    this.outbound = outbound;
    this.context = context;
    this.waits = new ChannelWaits(context);
    this.headOnly = headOnly;
    this.reusable = reusable;
    this.ended = ended;
    this.whole = whole;
    this.upgrade = upgrade;
  }

  @Override
  public void respond(HttpResponse response) {
    waits.inLoop(
        () -> {
          waits.complete();
          whole.accept(response);
        });
  }

  @Override
  public synchronized boolean reserve(long bytes) {
    if (outbound == null || closed) {
      return true;
    }
    held = outbound.tryHold(bytes);
    return held != null;
  }

  /** What was reserved has been taken, or nobody will take it. */
  synchronized void release() {
    closed = true;
    if (held != null) {
      held.release();
    }
  }

  @Override
  public HttpHandler.Stream stream(int status, Map<String, String> headers) {
    var message = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
    headers.forEach(message.headers()::set);
    if (reusable) {
      message.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    } else {
      message.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
    waits.inLoop(() -> context.writeAndFlush(message));
    return this;
  }

  @Override
  public HttpHandler.WebSocket webSocket() {
    return upgrade.get();
  }

  @Override
  public void onGone(Runnable action) {
    waits.onGone(action);
  }

  @Override
  public void write(byte[] piece) {
    if (!headOnly) {
      waits.inLoop(() -> context.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(piece))));
    }
  }

  @Override
  public void whenWritable(Runnable action) {
    waits.whenWritable(action);
  }

  @Override
  public void end() {
    waits.inLoop(
        () -> {
          waits.complete();
          ChannelFuture written = context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
          written.addListener((ChannelFutureListener) done -> ended.accept(reusable && done.isSuccess()));
        });
  }

  /** The connection takes more. */
  void writable() {
    waits.writabilityChanged();
  }

  /** The connection has ended. */
  void gone() {
    release();
    waits.gone();
  }
}
