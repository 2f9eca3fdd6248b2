package io.kvorum.server.agent;

import io.kvorum.server.front.ConnectionCheck;
import io.kvorum.server.logging.Log;
import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** Lets in the processes of some users: asked of the kernel once for each connection. Whoever cannot be told is not let in. */
final class UidCheck implements ConnectionCheck {
  private static final Log LOG = Log.of(UidCheck.class);

  private final Set<Integer> allowed;
  private final PeerUids uids;
  private final Executor executor;

  /**
   * @param uids of TCP connections
   * @param executor asks
   */
  UidCheck(Set<Integer> allowed, PeerUids uids, Executor executor) {
    this.allowed = Set.copyOf(allowed);
    this.uids = uids;
    this.executor = executor;
  }

  @Override
  public void check(Channel connection, Consumer<Boolean> verdict) {
    try {
      executor.execute(() -> verdict.accept(isAllowed(connection)));
    } catch (RejectedExecutionException busyOrStopping) {
      verdict.accept(false);
    }
  }

  private boolean isAllowed(Channel connection) {
    try {
      OptionalInt uid = uid(connection);
      boolean allows = uid.isPresent() && allowed.contains(uid.getAsInt());
      if (!allows) {
        LOG.warn("refused a local caller", "remote-addr", String.valueOf(connection.remoteAddress()), "uid", uid.isPresent() ? uid.getAsInt() : "unknown");
      }
      return allows;
    } catch (IOException | RuntimeException unknown) {
      LOG.warn("refused a local caller whose user is not known", "error", String.valueOf(unknown.getMessage()));
      return false;
    }
  }

  private OptionalInt uid(Channel connection) throws IOException {
    if (connection instanceof EpollDomainSocketChannel unix) {
      return OptionalInt.of(unix.peerCredentials().uid());
    }
    return connection.remoteAddress() instanceof InetSocketAddress caller && connection.localAddress() instanceof InetSocketAddress own
        ? uids.of(caller, own)
        : OptionalInt.empty();
  }
}
