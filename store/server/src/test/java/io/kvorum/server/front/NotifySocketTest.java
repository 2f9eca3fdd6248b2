package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NotifySocketTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void one_datagram_reaches_who_listens(boolean isAbstract) throws Exception {
    String name = isAbstract ? "@kvorum-test-" + directory.getFileName() : directory.resolve("notify").toString();
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    try (EventLoops loops = EventLoops.single("service-manager")) {
      Channel listener =
          new Bootstrap()
              .group(loops.group())
              .channel(EpollDomainDatagramChannel.class)
              .handler(
                  new SimpleChannelInboundHandler<DomainDatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext context, DomainDatagramPacket packet) {
                      heard.add(packet.content().toString(StandardCharsets.UTF_8));
                    }
                  })
              .bind(new DomainSocketAddress(isAbstract ? "\0" + name.substring(1) : name))
              .sync()
              .channel();
      NotifySocket.send(name, "READY=1");
      assertThat(heard.poll(30, TimeUnit.SECONDS)).isEqualTo("READY=1");
      listener.close().sync();
    }
  }

  @Test
  void nobody_there_is_an_error() {
    assertThatThrownBy(() -> NotifySocket.send(directory.resolve("none").toString(), "READY=1")).isInstanceOf(IOException.class);
  }
}
