package io.kvorum.server.front;

import io.kvorum.server.logging.Log;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The last handler of a connection that has become a WebSocket. Its state belongs to the connection's event loop. It reads only while a message is waited for, so that no
 * more than what one read brings is held here.
 */
final class WebSocketConnection extends ChannelDuplexHandler implements HttpHandler.WebSocket, HttpHandler.Stream {
  private static final Log LOG = Log.of(WebSocketConnection.class);

  /** How browsers, which cannot set headers here, name the scheme of the token that follows. */
  private static final String TOKEN_PROTOCOL = "Bearer";

  private static final long CLOSE_SECONDS = 1;

  private final ArrayDeque<byte[]> received = new ArrayDeque<>();
  private ChannelHandlerContext context;
  private ChannelWaits waits;
  private Consumer<byte[]> receiver;
  private boolean ended;

  private WebSocketConnection() {}

  /**
   * Answers the handshake and takes the place of the HTTP handlers.
   *
   * @param maxMessageBytes longer messages close the connection
   * @return null when the request is none of this kind and version
   */
  static WebSocketConnection upgrade(ChannelHandlerContext http, FullHttpRequest request, int maxMessageBytes) {
    if (!WebSocketVersion.V13.toHttpHeaderValue().equals(request.headers().get("sec-websocket-version")) || !request.method().equals(HttpMethod.GET)
        || !request.headers().contains("sec-websocket-key")) {
      return null;
    }
    WebSocketServerHandshaker handshaker = new WebSocketServerHandshakerFactory("", TOKEN_PROTOCOL, false, maxMessageBytes).newHandshaker(request);
    ChannelPipeline pipeline = http.pipeline();
    handshaker.handshake(http.channel(), request);
    pipeline.remove(IdleStateHandler.class);
    pipeline.addLast(new WebSocketFrameAggregator(maxMessageBytes));
    WebSocketConnection connection = new WebSocketConnection();
    pipeline.addLast(connection);
    pipeline.remove(Http1Connection.class);
    return connection;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    this.context = context;
    this.waits = new ChannelWaits(context);
    context.channel().config().setAutoRead(false);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      switch (message) {
        case PingWebSocketFrame ping -> context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
        case CloseWebSocketFrame understood when ended -> context.close();
        case CloseWebSocketFrame close -> context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        case TextWebSocketFrame text -> take(ByteBufUtil.getBytes(text.content()));
        case BinaryWebSocketFrame binary -> take(ByteBufUtil.getBytes(binary.content()));
        default -> LOG.debug("a frame of no interest", "kind", message.getClass().getSimpleName());
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void take(byte[] message) {
    if (!ended) {
      received.add(message);
      deliver();
    }
  }

  private void deliver() {
    if (receiver != null && !received.isEmpty()) {
      Consumer<byte[]> action = receiver;
      receiver = null;
      action.accept(received.poll());
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (receiver != null) {
      context.read();
    }
  }

  @Override
  public void receive(Consumer<byte[]> action) {
    waits.inLoop(
        () -> {
          receiver = action;
          deliver();
          if (receiver != null) {
            context.read();
          }
        });
  }

  @Override
  public void respond(HttpResponse response) {
    write(response.body());
    end();
  }

  @Override
  public HttpHandler.Stream stream(int status, Map<String, String> headers) {
    return this;
  }

  @Override
  public void write(byte[] piece) {
    int length = piece.length;
    while (length > 0 && piece[length - 1] == '\n') {
      length--;
    }
    if (length > 0) {
      TextWebSocketFrame frame = new TextWebSocketFrame(Unpooled.wrappedBuffer(piece, 0, length));
      waits.inLoop(() -> context.writeAndFlush(frame));
    }
  }

  @Override
  public void whenWritable(Runnable action) {
    waits.whenWritable(action);
  }

  /** Says so, and reads on until the other side has understood: what is closed with bytes unread may take the last answer along. */
  @Override
  public void end() {
    waits.inLoop(
        () -> {
          waits.complete();
          ended = true;
          context.channel().config().setAutoRead(true);
          context.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE));
          context.executor().schedule(() -> context.close(), CLOSE_SECONDS, TimeUnit.SECONDS);
        });
  }

  @Override
  public void onGone(Runnable action) {
    waits.onGone(action);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    waits.writabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    receiver = null;
    waits.gone();
    super.channelInactive(context);
  }

  /** What is no frame comes from gRPC's transport, which shares the channel: its commands to close. */
  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
    if (message instanceof WebSocketFrame || message instanceof HttpObject) {
      super.write(context, message, promise);
    } else {
      ReferenceCountUtil.release(message);
      context.close(promise);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("WebSocket connection failed", "error", cause.toString());
    context.close();
  }
}
