package io.kvorum.server.front;

import io.kvorum.server.tls.IncomingTls;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.concurrent.CompletionStage;

/** Behind the TLS handler of a new connection: lets nothing through before the other side has been checked, then goes away. */
final class TlsGuard extends ChannelInboundHandlerAdapter {
  private final IncomingTls tls;
  private final ArrayDeque<Object> early = new ArrayDeque<>();
  private boolean refused;

  private TlsGuard(IncomingTls tls) {
    this.tls = tls;
  }

  /**
   * Puts TLS before a handler.
   *
   * @param behind name of that handler
   */
  static void install(ChannelPipeline pipeline, String behind, IncomingTls tls, IncomingTls.Speaks speaks) {
    pipeline.addBefore(behind, null, tls.handler(pipeline.channel().alloc(), speaks));
    pipeline.addBefore(behind, null, new TlsGuard(tls));
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
      context.fireUserEventTriggered(event);
      return;
    }
    if (!handshake.isSuccess()) {
      refuse(context, IncomingTls.reason(handshake.cause()), false);
      return;
    }
    CompletionStage<String> check = tls.check(context.pipeline().get(SslHandler.class).engine().getSession(), context.channel().remoteAddress());
    if (check == null) {
      accept(context);
      return;
    }
    context.channel().config().setAutoRead(false);
    check.thenAccept(reason -> context.executor().execute(() -> decided(context, reason)));
  }

  private void decided(ChannelHandlerContext context, String reason) {
    if (reason != null) {
      refuse(context, reason, true);
    } else if (context.channel().isActive()) {
      context.channel().config().setAutoRead(true);
      accept(context);
    }
  }

  private void accept(ChannelHandlerContext context) {
    context.pipeline().remove(this);
  }

  /** What came in between goes on to whoever is next. */
  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    while (!early.isEmpty()) {
      Object message = early.poll();
      if (refused) {
        ReferenceCountUtil.release(message);
      } else {
        context.fireChannelRead(message);
      }
    }
  }

  private void refuse(ChannelHandlerContext context, String reason, boolean established) {
    if (refused) {
      return;
    }
    refused = true;
    tls.rejected(context.channel().remoteAddress(), established ? context.pipeline().get(SslHandler.class).engine().getSession() : null, reason);
    context.close();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (refused) {
      ReferenceCountUtil.release(message);
    } else {
      early.add(message);
    }
  }

  /** Said already, with the handshake's end. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }
}
