package io.kvorum.server.front;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
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

  /** The channel that listens on an address. */
  Class<? extends ServerChannel> serverChannel(SocketAddress address) {
    return address instanceof UnixDomainSocketAddress ? EpollServerDomainSocketChannel.class : serverChannel;
  }

  /**
   * An address as the channels take it. They remove what has the name of their socket, which is right for a socket that is left over and for nothing else.
   *
   * @throws BindException for a Unix socket, when this system has none, or a file or directory has its name
   */
  SocketAddress bindable(SocketAddress address) throws BindException {
    if (!(address instanceof UnixDomainSocketAddress unix)) {
      return address;
    }
    if (!isEpoll()) {
      throw new BindException(address, new IOException("no Unix sockets on this system"));
    }
    if (Files.isRegularFile(unix.getPath()) || Files.isDirectory(unix.getPath())) {
      throw new BindException(address, new IOException("in use"));
    }
    return new DomainSocketAddress(unix.getPath().toString());
  }

  /** The socket channel for connections that are opened from here. */
  public Class<? extends SocketChannel> clientChannel() {
    return isEpoll() ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  /** The channel of datagrams. */
  public Class<? extends DatagramChannel> datagramChannel() {
    return isEpoll() ? EpollDatagramChannel.class : NioDatagramChannel.class;
  }

  /** The channel that listens on an address of the internet protocol. */
  public Class<? extends ServerChannel> listeningChannel() {
    return serverChannel;
  }

  boolean isEpoll() {
    return serverChannel == EpollServerSocketChannel.class;
  }

  @Override
  public void close() {
    group.shutdownGracefully(QUIET_MILLIS, TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).awaitUninterruptibly(TIMEOUT_MILLIS);
  }
}
