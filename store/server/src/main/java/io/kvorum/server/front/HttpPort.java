package io.kvorum.server.front;

import io.kvorum.server.tls.IncomingTls;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** A port that serves HTTP/1.1 alone: metrics, or HTTP kept apart from gRPC. */
public final class HttpPort implements AutoCloseable {
  private static final int BACKLOG = 1_024;
  private static final long CLOSE_MILLIS = 1_000;

  private final Channel channel;

  private HttpPort(Channel channel) {
    this.channel = channel;
  }

  /** As the other method, without a bound of what is not taken. */
  public static HttpPort open(SocketAddress address, EventLoops loops, HttpHandler handler, PortTls tls, int maxBodyBytes) throws BindException {
    return open(address, loops, handler, tls, maxBodyBytes, null);
  }

  /**
   * Listens.
   *
   * @param outbound of answers that are not taken yet; null for none
   * @throws BindException when the address is taken or not ours
   */
  public static HttpPort open(SocketAddress address, EventLoops loops, HttpHandler handler, PortTls tls, int maxBodyBytes, OutboundBudget outbound)
      throws BindException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops.group())
            .channel(loops.serverChannel(address))
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel connection) {
                    Http1Connection.install(connection.pipeline(), handler, maxBodyBytes, tls.isRequired(), outbound);
                    if (tls.isRequired()) {
                      TlsGuard.install(connection.pipeline(), connection.pipeline().firstContext().name(), tls.incoming(), IncomingTls.Speaks.HTTP);
                    }
                  }
                });
    ChannelFuture bound = bootstrap.bind(loops.bindable(address)).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new BindException(address, bound.cause());
    }
    return new HttpPort(bound.channel());
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) channel.localAddress();
  }

  @Override
  public void close() {
    channel.close().awaitUninterruptibly(CLOSE_MILLIS);
  }
}
