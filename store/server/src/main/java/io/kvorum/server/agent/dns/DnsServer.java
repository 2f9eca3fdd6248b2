package io.kvorum.server.agent.dns;

import io.kvorum.server.front.EventLoops;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseEncoder;
import io.netty.handler.codec.dns.DefaultDnsRecordEncoder;
import io.netty.handler.codec.dns.DefaultDnsResponse;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsRecordDecoder;
import io.netty.handler.codec.dns.TcpDnsQueryDecoder;
import io.netty.handler.codec.dns.TcpDnsResponseEncoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The sockets of the agent's DNS: UDP and TCP on loopback addresses. Queries are answered at once on the network thread, so none is ever held. {@value #CONNECTIONS_MAX} TCP connections at a time,
 * each for {@value #QUERIES_MAX} queries and until it is idle for {@value #IDLE_SECONDS} s; one that does not take its answers is read no further.
 */
public final class DnsServer implements MetricSource, AutoCloseable {
  /** Below which services are, unless another domain is given. */
  public static final String DEFAULT_DOMAIN = "services.kvorum.local.";

  static final int CONNECTIONS_MAX = 64;
  static final int QUERIES_MAX = 1_000;
  static final int IDLE_SECONDS = 10;

  private static final int QUERY_BYTES_MAX = 4_096;
  /** The question's name begins behind the header. */
  private static final int POINTER_TO_QUESTION = 0xc00c;
  /** How often a port that TCP was given is tried with UDP, when any port will do. */
  private static final int ATTEMPTS_MAX = 20;

  private static final Log LOG = Log.of(DnsServer.class);

  private final DnsMeter meter = new DnsMeter();
  private final Responder responder;
  private final EventLoops loops;
  private final AtomicInteger connections = new AtomicInteger();
  private final List<Channel> listening = new ArrayList<>();

  private DnsServer(Zone zone, EventLoops loops) {
    this.responder = new Responder(zone, meter);
    this.loops = loops;
  }

  /**
   * Listens.
   *
   * @param addresses loopback ones; port 0 for any that is free
   * @param domain of the zone
   * @param loops network threads; outlive the server
   * @throws IllegalArgumentException for an address that others could reach, and for a domain that is none
   * @throws IOException when an address cannot be had
   */
  public static DnsServer open(List<InetSocketAddress> addresses, String domain, ServiceTable table, EventLoops loops) throws IOException {
    check(addresses, domain);
    Zone zone = new Zone(DnsNames.domain(domain), table, new Random());
    DnsServer server = new DnsServer(zone, loops);
    try {
      for (InetSocketAddress address : addresses) {
        server.listen(address);
      }
      return server;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /**
   * What {@link #open} asks of its arguments.
   *
   * @throws IllegalArgumentException with the reason, in terms of the options
   */
  public static void check(List<InetSocketAddress> addresses, String domain) {
    for (InetSocketAddress address : addresses) {
      if (address.isUnresolved() || !address.getAddress().isLoopbackAddress()) {
        throw new IllegalArgumentException("--dns-listen=" + address.getHostString() + ":" + address.getPort() + " is no loopback address");
      }
    }
    DnsNames.domain(domain);
  }

  private void listen(InetSocketAddress address) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Channel tcp = bound(tcp().bind(address), address, "TCP");
      listening.add(tcp);
      try {
        listening.add(bound(udp().bind(tcp.localAddress()), address, "UDP"));
        return;
      } catch (IOException e) {
        if (address.getPort() != 0 || attempt == ATTEMPTS_MAX) {
          throw e;
        }
        listening.remove(tcp);
        tcp.close().awaitUninterruptibly();
      }
    }
  }

  private static Channel bound(ChannelFuture bind, InetSocketAddress address, String protocol) throws IOException {
    if (!bind.awaitUninterruptibly().isSuccess()) {
      String where = address.getAddress().getHostAddress() + ":" + address.getPort();
      throw new IOException("--dns-listen=" + where + " (" + protocol + "): " + bind.cause().getMessage(), bind.cause());
    }
    return bind.channel();
  }

  private Bootstrap udp() {
    return new Bootstrap()
        .group(loops.group())
        .channel(loops.datagramChannel())
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new DatagramDnsQueryDecoder(), new DatagramDnsResponseEncoder(new PointingEncoder()), new Datagrams());
              }
            });
  }

  private ServerBootstrap tcp() {
    return new ServerBootstrap()
        .group(loops.group())
        .channel(loops.listeningChannel())
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel channel) {
                boolean taken = connections.incrementAndGet() <= CONNECTIONS_MAX;
                meter.connected(taken);
                channel.closeFuture().addListener(closed -> connections.decrementAndGet());
                if (!taken) {
                  channel.close();
                  return;
                }
                channel.pipeline().addLast(
                    new IdleStateHandler(0, 0, IDLE_SECONDS), new TcpDnsQueryDecoder(DnsRecordDecoder.DEFAULT, QUERY_BYTES_MAX),
                    new TcpDnsResponseEncoder(new PointingEncoder()), new Stream());
              }
            });
  }

  /** Where it listens, in the order of the addresses. */
  public List<InetSocketAddress> addresses() {
    return listening.stream().map(channel -> (InetSocketAddress) channel.localAddress()).distinct().toList();
  }

  @Override
  public void collect(MetricsText out) {
    meter.collect(out);
    out.gauge("kvorum_agent_dns_connections", "TCP connections for DNS that are open.", connections.get());
  }

  @Override
  public void close() {
    listening.forEach(channel -> channel.close().awaitUninterruptibly());
  }

  /** Writes the question's name once. */
  private static final class PointingEncoder extends DefaultDnsRecordEncoder {
    @Override
    protected void encodeName(String name, ByteBuf out) throws Exception {
      if (name.equals(Resource.OF_QUESTION)) {
        out.writeShort(POINTER_TO_QUESTION);
      } else {
        super.encodeName(name, out);
      }
    }
  }

  private final class Datagrams extends SimpleChannelInboundHandler<DatagramDnsQuery> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
      DatagramDnsResponse response = new DatagramDnsResponse(query.recipient(), query.sender(), query.id(), query.opCode());
      responder.respond(query, response, false);
      context.writeAndFlush(response, context.voidPromise());
    }

    /** What cannot be read gets no answer: it may not even have an id. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      meter.malformed();
      LOG.debug("DNS message failed", "reason", cause.getMessage());
    }
  }

  private final class Stream extends SimpleChannelInboundHandler<DnsQuery> {
    private int queries;

    @Override
    protected void channelRead0(ChannelHandlerContext context, DnsQuery query) {
      DefaultDnsResponse response = new DefaultDnsResponse(query.id(), query.opCode());
      responder.respond(query, response, true);
      ChannelFuture written = context.writeAndFlush(response);
      if (++queries == QUERIES_MAX) {
        written.addListener(done -> context.close());
        context.channel().config().setAutoRead(false);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      context.channel().config().setAutoRead(context.channel().isWritable() && queries < QUERIES_MAX);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof IdleStateEvent) {
        context.close();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (!(cause instanceof IOException)) {
        meter.malformed();
      }
      context.close();
    }
  }
}
