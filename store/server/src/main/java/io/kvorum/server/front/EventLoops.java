package io.kvorum.server.front;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/** Network threads: epoll where it is to be had. */
public final class EventLoops implements AutoCloseable {
  private static final long QUIET_MILLIS = 0;
  private static final long TIMEOUT_MILLIS = 2_000;

  private final EventLoopGroup group;
  private final Class<? extends ServerChannel> serverChannel;

  @SuppressWarnings("deprecation")
  private EventLoops(String name, int threads) {
    DefaultThreadFactory factory = new DefaultThreadFactory(name, true);
    boolean epoll = Epoll.isAvailable();
    this.group = epoll ? new EpollEventLoopGroup(threads, factory) : new NioEventLoopGroup(threads, factory);
    this.serverChannel = epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /** For clients: one for two cores, which measured best because apply and log need the others. */
  public static EventLoops forClients(int cores) {
    return new EventLoops("client-port", Math.max(1, cores / 2));
  }

  /** For what is small but must not wait behind clients. */
  public static EventLoops single(String name) {
    return new EventLoops(name, 1);
  }

  public EventLoopGroup group() {
    return group;
  }

  Class<? extends ServerChannel> serverChannel() {
    return serverChannel;
  }

  /** The socket channel for connections that are opened from here. */
  public Class<? extends SocketChannel> clientChannel() {
    return isEpoll() ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  boolean isEpoll() {
    return serverChannel == EpollServerSocketChannel.class;
  }

  @Override
  public void close() {
    group.shutdownGracefully(QUIET_MILLIS, TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).awaitUninterruptibly(TIMEOUT_MILLIS);
  }
}
