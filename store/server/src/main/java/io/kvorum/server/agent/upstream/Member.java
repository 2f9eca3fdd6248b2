package io.kvorum.server.agent.upstream;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.server.front.EventLoops;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import java.util.concurrent.TimeUnit;

/** One member and the connection to it, which is opened when somebody asks for it and closed when nothing has gone over it for a while. */
final class Member {
  private static final long IDLE_SECONDS = 60;

  private final Address address;
  private final ManagedChannel channel;
  private volatile long avoidedUntil;

  private Member(Address address, ManagedChannel channel, long now) {
    this.address = address;
    this.channel = channel;
    this.avoidedUntil = now;
  }

  /**
   * @param tls for secure addresses
   */
  static Member of(Address address, UpstreamSettings settings, EventLoops loops, SslContext tls, long now) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(address.host(), address.port())
            .eventLoopGroup(loops.group())
            .channelType(loops.clientChannel())
            .directExecutor()
            .disableRetry()
            .disableServiceConfigLookUp()
            .proxyDetector(any -> null)
            .maxInboundMessageSize(settings.answerBytesMax())
            .idleTimeout(IDLE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTime(settings.keepAlive().toNanos(), TimeUnit.NANOSECONDS)
            .keepAliveTimeout(settings.keepAliveTimeout().toNanos(), TimeUnit.NANOSECONDS)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.clamp(settings.dialTimeout().toMillis(), 1, Integer.MAX_VALUE));
    ManagedChannel channel = (address.secure() ? builder.useTransportSecurity().sslContext(tls) : builder.usePlaintext()).build();
    return new Member(address, channel, now);
  }

  ManagedChannel channel() {
    return channel;
  }

  boolean isReady() {
    return channel.getState(false) == ConnectivityState.READY;
  }

  /** Calls go elsewhere until then, if there is anywhere else. */
  void avoidUntil(long nanoTime) {
    avoidedUntil = nanoTime;
  }

  boolean isAvoided(long now) {
    return avoidedUntil - now > 0;
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
