package io.kvorum.server.process;

import io.kvorum.server.config.Urls;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.logging.Log;
import io.kvorum.server.peer.NettyPeerChannels;
import io.kvorum.server.peer.PeerChannels;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;

/** The one network thread that carries everything between members, in both directions: it must not wait behind clients. */
final class PeerNetwork implements AutoCloseable {
  private static final Log LOG = Log.of(PeerNetwork.class);

  private final EventLoops loops = EventLoops.single("peer-port");
  private final ServerTls tls;
  private final InetAddress local;

  /**
   * @param local address that connections to other members come from; null for any
   */
  PeerNetwork(ServerTls tls, InetAddress local) {
    this.tls = tls;
    this.local = local;
  }

  /**
   * What the feature gate SetMemberLocalAddr asks for: the first advertised address that is one, and neither loopback nor the wildcard.
   *
   * @return null when there is none
   */
  static InetAddress localAddress(List<String> advertisedPeerUrls) {
    for (String url : advertisedPeerUrls) {
      try {
        InetAddress address = InetAddress.ofLiteral(Urls.host(url));
        if (!address.isLoopbackAddress() && !address.isAnyLocalAddress()) {
          LOG.info("setting member local address", "local-addr", address.getHostAddress());
          return address;
        }
      } catch (IllegalArgumentException aName) {
        // Names may have many addresses.
      }
    }
    LOG.warn("unable to set a member local address due to lack of suitable local addresses", "advertise-peer-urls", advertisedPeerUrls);
    return null;
  }

  ServerTls tls() {
    return tls;
  }

  EventLoops loops() {
    return loops;
  }

  PeerChannels channels() {
    return new NettyPeerChannels(loops.group(), loops.clientChannel(), tls.outgoing(), local);
  }

  ScheduledExecutorService loop() {
    return loops.group().next();
  }

  @Override
  public void close() {
    loops.close();
  }
}
