package io.kvorum.server.front;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.ProtocolNegotiationEvent;
import io.kvorum.server.tls.IncomingTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AsciiString;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * Decides for each new connection whether it speaks gRPC or HTTP/1.1, by its first bytes: HTTP/2 begins with a preface that no request of HTTP/1.1 begins with, and gRPC
 * takes over once that is complete. On a port with TLS both sides have agreed on one by ALPN before, and these are the first bytes inside; a port that takes both kinds
 * knows TLS by the first byte of a handshake.
 */
final class PortNegotiator implements InternalProtocolNegotiator.ProtocolNegotiator {
  private static final byte[] HTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte TLS_HANDSHAKE = 0x16;

  private static final int FORBIDDEN = 403;
  private static final HttpHandler REFUSING = (request, responder) -> responder.respond(HttpResponse.error(FORBIDDEN, "Forbidden"));

  /** A connection that has not said by then what it is, is closed. */
  static final long FIRST_BYTES_SECONDS = 30;

  private final HttpHandler http;
  private final int maxBodyBytes;
  private final PortTls tls;
  private final OutboundBudget outbound;
  private final ConnectionCheck check;
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

  /**
   * @param http null for a port that serves gRPC alone
   * @param outbound null for no bound
   * @param check null when everybody may call
   */
  PortNegotiator(HttpHandler http, int maxBodyBytes, PortTls tls, OutboundBudget outbound, ConnectionCheck check) {
    this.check = check;
    this.outbound = outbound;
    this.tls = tls;
    this.http = http;
    this.maxBodyBytes = maxBodyBytes;
  }

  @Override
  public AsciiString scheme() {
    return AsciiString.of(tls.isRequired() ? "https" : "http");
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpc) {
    return new FirstBytes(grpc);
  }

  /**
   * Closes every connection at once. gRPC's own way would reset each stream with CANCEL, which clients take for an answer; a closed connection is Unavailable to
   * them, and their watches go on elsewhere.
   */
  void closeConnections() {
    // From the first handler on, so that no handler holds the close back for its streams.
    connections.forEach(connection -> connection.eventLoop().execute(() -> connection.pipeline().firstContext().close()));
  }

  @Override
  public void close() {
    // Connections end with their server.
  }

  private final class FirstBytes extends ChannelInboundHandlerAdapter {
    private final GrpcHttp2ConnectionHandler grpc;
    private ProtocolNegotiationEvent negotiation;
    private ByteBuf seen = Unpooled.EMPTY_BUFFER;
    private ScheduledFuture<?> deadline;
    private SslHandler secured;
    private boolean allowed = true;

    FirstBytes(GrpcHttp2ConnectionHandler grpc) {
      this.grpc = grpc;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      connections.add(context.channel());
      deadline = context.executor().schedule(() -> context.close(), FIRST_BYTES_SECONDS, TimeUnit.SECONDS);
      if (tls.isRequired()) {
        secure(context);
      }
      if (check != null) {
        context.channel().config().setAutoRead(false);
        check.check(context.channel(), verdict -> context.executor().execute(() -> decided(context, verdict)));
      }
    }

    private void decided(ChannelHandlerContext context, boolean verdict) {
      allowed = verdict;
      context.channel().config().setAutoRead(true);
    }

    private void secure(ChannelHandlerContext context) {
      TlsGuard.install(context.pipeline(), context.name(), tls.incoming(), http == null ? IncomingTls.Speaks.GRPC : IncomingTls.Speaks.BOTH);
      secured = context.pipeline().get(SslHandler.class);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
      deadline.cancel(false);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ProtocolNegotiationEvent started) {
        negotiation = started;
      } else {
        context.fireUserEventTriggered(event);
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      if (seen.isReadable()) {
        bytes = Unpooled.wrappedBuffer(seen, bytes);
        seen = Unpooled.EMPTY_BUFFER;
      }
      if (secured == null && tls.incoming() != null && bytes.isReadable() && bytes.getByte(bytes.readerIndex()) == TLS_HANDSHAKE) {
        secure(context);
        context.pipeline().fireChannelRead(bytes);
        return;
      }
      int known = Math.min(bytes.readableBytes(), HTTP2.length);
      boolean http2 = true;
      for (int i = 0; i < known; i++) {
        http2 &= bytes.getByte(bytes.readerIndex() + i) == HTTP2[i];
      }
      if (http2 && known < HTTP2.length) {
        seen = bytes;
        return;
      }
      ChannelPipeline pipeline = context.pipeline();
      if (http2) {
        toGrpc(context);
      } else if (http != null) {
        toHttp1(context);
      } else {
        bytes.release();
        context.close();
        return;
      }
      context.fireChannelRead(bytes);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      seen.release();
      seen = Unpooled.EMPTY_BUFFER;
      context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }

    private void toGrpc(ChannelHandlerContext context) {
      Attributes.Builder attributes =
          InternalProtocolNegotiationEvent.getAttributes(negotiation).toBuilder()
              .set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, context.channel().localAddress())
              .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, context.channel().remoteAddress());
      if (outbound != null) {
        attributes.set(OutboundBudget.CONNECTION, outbound.connect(context.channel()));
      }
      if (check != null) {
        attributes.set(ConnectionCheck.ALLOWED, allowed);
      }
      if (secured != null) {
        attributes.set(Grpc.TRANSPORT_ATTR_SSL_SESSION, secured.engine().getSession());
      }
      context.pipeline().addAfter(context.name(), null, InternalProtocolNegotiators.grpcNegotiationHandler(grpc));
      context.fireUserEventTriggered(InternalProtocolNegotiationEvent.withAttributes(negotiation, attributes.build()));
      context.pipeline().remove(this);
    }

    private void toHttp1(ChannelHandlerContext context) {
      ChannelPipeline pipeline = context.pipeline();
      // gRPC's last handler holds back all writes until its own negotiation ends, which never comes here.
      if (pipeline.last() != this) {
        pipeline.removeLast();
      }
      Http1Connection.install(pipeline, allowed ? http : REFUSING, maxBodyBytes, secured != null, outbound);
      pipeline.remove(this);
    }
  }
}
