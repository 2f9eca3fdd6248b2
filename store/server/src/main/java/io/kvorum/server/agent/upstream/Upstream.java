package io.kvorum.server.agent.upstream;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import io.kvorum.server.tls.OutgoingTls;
import io.kvorum.server.tls.TlsException;
import io.kvorum.server.tls.TlsFiles;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * The way to the cluster: one {@link Channel} whose calls carry the agent's credentials and go to a member that works.
 *
 * <ul>
 *   <li>With no member reachable a call fails within the dial timeout: Unavailable, {@code etcdserver: request timed out, possibly due to connection lost}.
 *   <li>A call that never left is made again with another member, any call; one that only reads also when its member was lost on the way. Others are never repeated.
 *   <li>A call that is refused because of its token is made again, once, after a new login.
 *   <li>All other answers, errors and trailers are those of the cluster, unchanged.
 * </ul>
 */
public final class Upstream implements AutoCloseable, MetricSource {
  private final Members members;
  private final Login login;
  private final Seen seen = new Seen();
  private final Channel channel = new ToMembers();

  private Upstream(Members members, Login login) {
    this.members = members;
    this.login = login;
  }

  /**
   * Prepares everything; nothing is dialled before the first call.
   *
   * @param timer for waits; its tasks are short
   * @param random chooses the first member, so that agents spread
   * @throws TlsException when the certificates cannot be used
   */
  public static Upstream open(UpstreamSettings settings, EventLoops loops, ScheduledExecutorService timer, LongSupplier nanoTime, RandomGenerator random)
      throws TlsException {
    boolean secure = settings.members().stream().anyMatch(Address::secure);
    SslContext tls = secure ? new OutgoingTls(settings.tls(), TlsFiles.open(settings.tls())).prepared() : null;
    long now = nanoTime.getAsLong();
    List<Member> all = settings.members().stream().map(address -> Member.of(address, settings, loops, tls, now)).toList();
    Members members = new Members(all, random.nextInt(all.size()), settings.dialTimeout().toNanos(), timer, nanoTime);
    return new Upstream(members, new Login(settings.credentials(), settings.loginTimeout().toNanos(), nanoTime));
  }

  /** For calls with the agent's credentials. Waiting for a member is bounded by the dial timeout, whether a call waits for ready or not. */
  public Channel channel() {
    return channel;
  }

  /** The highest revision that came from the cluster in the header of any answer, 0 before the first. */
  public long seen() {
    return seen.get();
  }

  /** Whether a connection to a member stands. */
  public boolean connected() {
    return members.connected();
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("kvorum_agent_upstream_connected", "Whether a connection to a member of the cluster stands.", connected() ? 1 : 0);
    out.gauge("kvorum_agent_upstream_revision", "Highest revision that the cluster has told.", seen());
    out.counter("kvorum_agent_logins_total", "Logins that were tried.", login.logins());
    out.counter("kvorum_agent_login_failures_total", "Logins that failed.", login.failures());
  }

  /** Ends all calls. */
  @Override
  public void close() {
    members.close();
  }

  private final class ToMembers extends Channel {
    @Override
    public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
      Deadline inherited = Context.current().getDeadline();
      Deadline own = options.getDeadline();
      Deadline sooner = inherited == null || own != null && own.isBefore(inherited) ? own : inherited;
      return new UpstreamCall<>(members, login, seen, method, options.withoutWaitForReady().withDeadline(sooner));
    }

    @Override
    public String authority() {
      return "cluster";
    }
  }
}
