package io.kvorum.server.front;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The socket on which a service manager (systemd) hears of its services: datagrams on a Unix socket, which the JDK does not have. */
public final class NotifySocket {
  private static final long WAIT_MILLIS = 1_000;

  private NotifySocket() {}

  /**
   * Sends one message; waits a second for it at most.
   *
   * @param address a path, or {@code @name} for one in the abstract namespace
   * @param message such as {@code READY=1}
   * @throws IOException when nobody listens there, or this is not Linux
   */
  public static void send(String address, String message) throws IOException {
    try (EventLoops loops = EventLoops.single("notify")) {
      if (!loops.isEpoll()) {
        throw new IOException("no Unix datagram sockets on this system");
      }
      String path = address.startsWith("@") ? "\0" + address.substring(1) : address;
      Bootstrap socket = new Bootstrap().group(loops.group()).channel(EpollDomainDatagramChannel.class).handler(new ChannelInboundHandlerAdapter());
      ChannelFuture connected = await(socket.connect(new DomainSocketAddress(path)));
      Channel channel = connected.channel();
      await(channel.writeAndFlush(Unpooled.copiedBuffer(message, StandardCharsets.UTF_8)));
      channel.close().awaitUninterruptibly(WAIT_MILLIS);
    }
  }

  private static ChannelFuture await(ChannelFuture step) throws IOException {
    if (!step.awaitUninterruptibly(WAIT_MILLIS) || !step.isSuccess()) {
      throw new IOException(step.cause() == null ? "timed out" : step.cause().getMessage(), step.cause());
    }
    return step;
  }
}
