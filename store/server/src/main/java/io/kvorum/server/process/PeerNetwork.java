package io.kvorum.server.process;

import io.kvorum.server.front.EventLoops;
import io.kvorum.server.peer.NettyPeerChannels;
import io.kvorum.server.peer.PeerChannels;
import java.util.concurrent.ScheduledExecutorService;

/** The one network thread that carries everything between members, in both directions: it must not wait behind clients. */
final class PeerNetwork implements AutoCloseable {
  private final EventLoops loops = EventLoops.single("peer-port");
  private final ServerTls tls;

  PeerNetwork(ServerTls tls) {
    this.tls = tls;
  }

  ServerTls tls() {
    return tls;
  }

  EventLoops loops() {
    return loops;
  }

  PeerChannels channels() {
    return new NettyPeerChannels(loops.group(), loops.clientChannel(), tls.outgoing());
  }

  ScheduledExecutorService loop() {
    return loops.group().next();
  }

  @Override
  public void close() {
    loops.close();
  }
}
