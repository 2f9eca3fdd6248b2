package io.kvorum.server.front;

import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.netty.InternalNettyServerBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A port that serves gRPC, and HTTP/1.1 beside it if a handler is given. Calls run on the event loop that reads them: services must not block. One address each, so that a
 * failure names its address.
 */
public final class GrpcPort implements AutoCloseable {
  private static final int BACKLOG = 1_024;

  /** Long enough for any token in the metadata. */
  private static final int MAX_METADATA_BYTES = 256 << 10;

  /** gRPC's own time-out would close connections that turn out to speak HTTP/1.1; {@link PortNegotiator} has one. */
  private static final long NO_HANDSHAKE_DAYS = 3_650;

  private final Server server;
  private final PortNegotiator negotiator;

  private GrpcPort(Server server, PortNegotiator negotiator) {
    this.server = server;
    this.negotiator = negotiator;
  }

  /**
   * Bounds of a port.
   *
   * @param maxMessageBytes largest request
   * @param maxBodyBytes largest body of an HTTP request
   * @param maxStreams calls at the same time on one connection
   * @param keepAliveMinMillis clients that ping more often are sent away
   * @param keepAliveWithoutCalls clients may ping without open calls
   * @param keepAliveMillis interval of the server's pings, 0 for none
   * @param keepAliveTimeoutMillis how long it waits for their answer
   * @param reusePort SO_REUSEPORT
   */
  public record Bounds(
      int maxMessageBytes,
      int maxBodyBytes,
      long maxStreams,
      long keepAliveMinMillis,
      boolean keepAliveWithoutCalls,
      long keepAliveMillis,
      long keepAliveTimeoutMillis,
      boolean reusePort) {}

  /** As the other method, without a meter and without a bound of what is not taken. */
  public static GrpcPort open(
      SocketAddress address, EventLoops loops, List<ServerServiceDefinition> services, List<ServerInterceptor> interceptors, HttpHandler http, PortTls tls,
      Bounds bounds)
      throws IOException {
    return open(address, loops, services, interceptors, null, http, tls, bounds, null);
  }

  /** As the other method, for everybody who can connect. */
  public static GrpcPort open(
      SocketAddress address, EventLoops loops, List<ServerServiceDefinition> services, List<ServerInterceptor> interceptors,
      ServerStreamTracer.Factory meter, HttpHandler http, PortTls tls, Bounds bounds, OutboundBudget outbound)
      throws IOException {
    return open(address, loops, services, interceptors, meter, http, tls, bounds, outbound, null);
  }

  /**
   * Listens.
   *
   * @param meter hears of each call; null for nobody
   * @param http null for gRPC alone
   * @param tls for http and gRPC alike
   * @param outbound of answers that are not taken yet, for http and for interceptors; null for none
   * @param check whose connections are served; of others HTTP requests are refused here, and calls by whoever reads {@link ConnectionCheck#ALLOWED}. Null for all
   * @throws BindException when the address is taken or not ours
   */
  public static GrpcPort open(
      SocketAddress address, EventLoops loops, List<ServerServiceDefinition> services, List<ServerInterceptor> interceptors,
      ServerStreamTracer.Factory meter, HttpHandler http, PortTls tls, Bounds bounds, OutboundBudget outbound, ConnectionCheck check)
      throws IOException {
    PortNegotiator negotiator = new PortNegotiator(http, bounds.maxBodyBytes(), tls, outbound, check);
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(loops.bindable(address))
            .bossEventLoopGroup(loops.group())
            .workerEventLoopGroup(loops.group())
            .channelType(loops.serverChannel(address))
            .directExecutor()
            .protocolNegotiator(negotiator)
            .handshakeTimeout(NO_HANDSHAKE_DAYS, TimeUnit.DAYS)
            .maxInboundMessageSize(RequestReading.mostRead(bounds.maxMessageBytes()))
            .fallbackHandlerRegistry(new UnknownMethods(services))
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .maxConcurrentCallsPerConnection((int) Math.min(Integer.MAX_VALUE, bounds.maxStreams()))
            .permitKeepAliveTime(bounds.keepAliveMinMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(bounds.keepAliveWithoutCalls())
            .withOption(ChannelOption.SO_BACKLOG, BACKLOG);
    if (bounds.keepAliveMillis() > 0) {
      builder.keepAliveTime(bounds.keepAliveMillis(), TimeUnit.MILLISECONDS);
    }
    if (bounds.keepAliveTimeoutMillis() > 0) {
      builder.keepAliveTimeout(bounds.keepAliveTimeoutMillis(), TimeUnit.MILLISECONDS);
    }
    if (bounds.reusePort() && loops.isEpoll() && address instanceof InetSocketAddress) {
      builder.withOption(EpollChannelOption.SO_REUSEPORT, true);
    }
    InternalNettyServerBuilder.setStatsEnabled(builder, false);
    InternalNettyServerBuilder.setTracingEnabled(builder, false);
    if (meter != null) {
      builder.addStreamTracerFactory(meter);
    }
    services.forEach(service -> builder.addService(RequestReading.of(service, bounds.maxMessageBytes())));
    interceptors.forEach(interceptor -> builder.intercept(UnknownMethods.onlyKnown(interceptor)));
    try {
      return new GrpcPort(builder.build().start(), negotiator);
    } catch (IOException e) {
      throw new BindException(address, e);
    }
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) server.getListenSockets().getFirst();
  }

  /** Takes no new connections and calls; those under way may end within the time, then they are cut. */
  public void close(long graceMillis) {
    server.shutdown();
    try {
      if (server.awaitTermination(graceMillis, TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    negotiator.closeConnections();
    server.shutdownNow();
    try {
      server.awaitTermination(graceMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    close(0);
  }
}
