package io.kvorum.server.front;

import io.kvorum.server.logging.Log;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** An HTTP/1.1 connection: requests are answered one after the other, in order, whenever their answers come. */
final class Http1Connection extends ChannelDuplexHandler {
  private static final Log LOG = Log.of(Http1Connection.class);

  /** A connection without a byte in either direction for so long is closed, unless an answer is owed. */
  static final long IDLE_SECONDS = 120;

  /** Requests sent ahead of their answers; more close the connection. */
  private static final int MAX_PIPELINED = 64;

  /** Their bodies together; more close the connection. */
  private static final int MAX_WAITING_BYTES = 256 << 10;

  private final HttpHandler handler;
  private final int maxBodyBytes;
  private final boolean secure;
  private final OutboundBudget.Connection outbound;
  private final ArrayDeque<FullHttpRequest> waiting = new ArrayDeque<>();
  private int waitingBytes;
  private boolean busy;
  private HttpExchange current;

  private Http1Connection(HttpHandler handler, int maxBodyBytes, boolean secure, OutboundBudget.Connection outbound) {
    this.outbound = outbound;
    this.handler = handler;
    this.maxBodyBytes = maxBodyBytes;
    this.secure = secure;
  }

  /**
   * Appends codec and handler to a pipeline.
   *
   * @param outbound of answers that are not taken yet; null for none
   */
  static void install(ChannelPipeline pipeline, HttpHandler handler, int maxBodyBytes, boolean secure, OutboundBudget outbound) {
    pipeline.addLast(new IdleStateHandler(0, 0, IDLE_SECONDS, TimeUnit.SECONDS));
    pipeline.addLast(new HttpServerCodec());
    pipeline.addLast(new HttpObjectAggregator(maxBodyBytes));
    pipeline.addLast(new Http1Connection(handler, maxBodyBytes, secure, outbound == null ? null : outbound.connect(pipeline.channel())));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof FullHttpRequest request)) {
      ReferenceCountUtil.release(message);
      return;
    }
    waitingBytes += request.content().readableBytes();
    if ((busy || !context.channel().isWritable()) && (waiting.size() >= MAX_PIPELINED || waitingBytes > MAX_WAITING_BYTES)) {
      request.release();
      context.close();
      return;
    }
    waiting.add(request);
    next(context);
  }

  /** Not before the reader has taken the answers that there are. */
  private void next(ChannelHandlerContext context) {
    while (!busy && !waiting.isEmpty() && context.channel().isWritable()) {
      FullHttpRequest request = waiting.poll();
      waitingBytes -= request.content().readableBytes();
      try {
        busy = true;
        serve(context, request);
      } finally {
        request.release();
      }
    }
  }

  private void serve(ChannelHandlerContext context, FullHttpRequest request) {
    boolean keepAlive = HttpUtil.isKeepAlive(request);
    if (request.decoderResult().isFailure()) {
      write(context, HttpResponse.error(HttpResponseStatus.BAD_REQUEST.code(), "400 Bad Request"), false, false);
      return;
    }
    boolean head = request.method().name().equals("HEAD");
    HttpRequest decoded;
    try {
      decoded = decode(request);
    } catch (IllegalArgumentException e) {
      write(context, HttpResponse.error(HttpResponseStatus.BAD_REQUEST.code(), "400 Bad Request"), false, false);
      return;
    }
    current = new HttpExchange(context, head, keepAlive && request.protocolVersion().isKeepAliveDefault(), reusable -> ended(context, reusable),
        response -> write(context, response, keepAlive, head), () -> upgrade(context, request), outbound);
    try {
      handler.handle(decoded, current);
    } catch (RuntimeException e) {
      LOG.error("HTTP handler failed", e, "path", decoded.path());
      write(context, HttpResponse.error(HttpResponseStatus.INTERNAL_SERVER_ERROR.code(), "500 Internal Server Error"), false, head);
    }
  }

  /** Null when it cannot be. */
  private HttpHandler.WebSocket upgrade(ChannelHandlerContext context, FullHttpRequest request) {
    HttpHandler.WebSocket socket = WebSocketConnection.upgrade(context, request, maxBodyBytes);
    if (socket == null) {
      HttpResponse refusal = HttpResponse.error(HttpResponseStatus.BAD_REQUEST.code(), "Bad Request");
      write(context, refusal.with(Map.of("Sec-WebSocket-Version", "13")), HttpUtil.isKeepAlive(request), false);
    }
    return socket;
  }

  /** An answer in pieces is complete. */
  private void ended(ChannelHandlerContext context, boolean reusable) {
    current = null;
    if (!reusable) {
      context.close();
      return;
    }
    busy = false;
    next(context);
  }

  private HttpRequest decode(FullHttpRequest request) {
    QueryStringDecoder uri = new QueryStringDecoder(request.uri());
    Map<String, String> headers = new HashMap<>();
    request.headers().forEach(header -> headers.put(header.getKey().toLowerCase(Locale.ROOT), header.getValue()));
    return new HttpRequest(request.method().name(), uri.path(), uri.parameters(), headers, ByteBufUtil.getBytes(request.content()), secure);
  }

  private void write(ChannelHandlerContext context, HttpResponse response, boolean keepAlive, boolean head) {
    var message =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(response.status()), head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(response.body()));
    response.headers().forEach(message.headers()::set);
    message.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, response.body().length);
    if (!keepAlive) {
      message.headers().set(HttpHeaderNames.CONNECTION, "close");
    }
    HttpExchange answered = current;
    current = null;
    var written = context.writeAndFlush(message);
    if (answered != null) {
      written.addListener(taken -> answered.release());
    }
    if (!keepAlive) {
      written.addListener(ChannelFutureListener.CLOSE);
      return;
    }
    busy = false;
    next(context);
  }

  /** What is no HTTP object comes from gRPC's transport, which shares the channel: its commands to close. */
  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
    if (message instanceof HttpObject) {
      super.write(context, message, promise);
    } else {
      ReferenceCountUtil.release(message);
      context.close(promise);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    // An answer may be long in coming: a lock, a watch.
    if (event instanceof IdleStateEvent && !busy) {
      context.close();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (current != null && context.channel().isWritable()) {
      current.writable();
    } else {
      next(context);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    waiting.forEach(FullHttpRequest::release);
    waiting.clear();
    if (current != null) {
      current.gone();
      current = null;
    }
    super.channelInactive(context);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("HTTP connection failed", "error", cause.toString());
    context.close();
  }
}
