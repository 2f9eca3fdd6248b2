package io.kvorum.server.peer;

import io.grpc.Attributes;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.server.cluster.PeerUrls;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;

/** Channels on a given event loop, whose thread also runs all callbacks. */
public final class NettyPeerChannels implements PeerChannels {
  private static final int CONNECT_MILLIS = 2_000;
  private static final int KEEP_ALIVE_SECONDS = 10;
  private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;
  private static final int REPLY_BYTES_MAX = 64 << 20;

  private final EventLoopGroup loop;
  private final Class<? extends Channel> channelType;
  private final SslContext tls;
  private final InetAddress local;

  /** As the other one, from any local address. */
  public NettyPeerChannels(EventLoopGroup loop, Class<? extends Channel> channelType, SslContext tls) {
    this(loop, channelType, tls, null);
  }

  /**
   * @param loop of one thread; the same that {@link PeerTransport} works on, so that messages need no hand-over
   * @param channelType the socket channel that fits it
   * @param tls for https URLs; null when there are none
   * @param local address that connections come from; null for any
   */
  public NettyPeerChannels(EventLoopGroup loop, Class<? extends Channel> channelType, SslContext tls, InetAddress local) {
    this.loop = loop;
    this.channelType = channelType;
    this.tls = tls;
    this.local = local;
  }

  @Override
  public ManagedChannel open(PeerUrls.Endpoint endpoint) {
    if (endpoint.isUnix() || (endpoint.isTls() && tls == null)) {
      throw new IllegalArgumentException("cannot dial " + endpoint);
    }
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(endpoint.plainHost(), endpoint.port())
            .eventLoopGroup(loop)
            .channelType(channelType)
            .directExecutor()
            .disableRetry()
            .disableServiceConfigLookUp()
            .proxyDetector(address -> null)
            .maxInboundMessageSize(REPLY_BYTES_MAX)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS);
    if (local != null) {
      builder.localSocketPicker(
          new NettyChannelBuilder.LocalSocketPicker() {
            @Override
            public SocketAddress createSocketAddress(SocketAddress remote, Attributes attributes) {
              return new InetSocketAddress(local, 0);
            }
          });
    }
    return (endpoint.isTls() ? builder.useTransportSecurity().sslContext(tls) : builder.usePlaintext()).build();
  }
}
