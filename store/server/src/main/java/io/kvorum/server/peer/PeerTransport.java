package io.kvorum.server.peer;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.stub.MetadataUtils;
import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.Transport;
import io.kvorum.server.cluster.ClusterView;
import io.kvorum.server.cluster.Connectivity;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Carries messages to the other members over one connection each. Whom to dial comes from the applied membership; before this member has applied
 * that, from the contacts that it joined with, and from callers that it does not know yet (a lagging follower must be able to answer a leader that
 * was added after the entries it has).
 *
 * <p>A removed member's link stays for a short grace, so that what was on its way still arrives; a member that learns of its own removal calls back
 * once.
 */
public final class PeerTransport implements Transport, Connectivity, Members.Listener, AutoCloseable {
  private static final Log LOG = Log.of(PeerTransport.class);
  private static final long REMOVED_GRACE_MILLIS = 1_000;
  private static final long UNREACHABLE_REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int STRANGERS_MAX = 16;

  private final PeerIdentity self;
  private final PeerChannels channels;
  private final ScheduledExecutorService loop;
  private final Runnable removed;
  private final PeerMeter meter;
  private final Map<Long, PeerLink> links = new ConcurrentHashMap<>();
  private final Map<Long, Long> reportedNanos = new ConcurrentHashMap<>();
  private volatile RaftNode node;
  private volatile Consumer<Message> snapshots = message -> {};
  private volatile ClusterView view;
  private boolean toldRemoved;
  private volatile boolean closed;

  /**
   * @param self this member
   * @param channels opens connections
   * @param loop one thread, best that of the channels; not stopped by {@link #close}
   * @param removed called once, on that thread, when this member was removed from the cluster: it is to stop itself
   */
  public PeerTransport(PeerIdentity self, PeerChannels channels, ScheduledExecutorService loop, Runnable removed) {
    this.self = self;
    this.meter = new PeerMeter(self.memberId());
    this.channels = channels;
    this.loop = loop;
    this.removed = removed;
  }

  /**
   * Begins to dial. Messages that are sent before are dropped.
   *
   * @param raft hears of broken connections and dropped messages
   * @param contacts whom to dial before the membership says so
   * @param snapshotStart starts the file transfer that a SNAPSHOT message stands for
   */
  public void start(RaftNode raft, Collection<Member> contacts, Consumer<Message> snapshotStart) {
    node = raft;
    snapshots = snapshotStart;
    execute(() -> contacts.forEach(m -> meet(m.id(), m.peerUrls())));
  }

  /** What is counted of the traffic with other members. */
  public MetricSource metrics() {
    return meter;
  }

  PeerMeter meter() {
    return meter;
  }

  @Override
  public void send(List<Message> messages) {
    for (Message message : messages) {
      if (message.type() == Message.Type.SNAPSHOT) {
        snapshots.accept(message);
        continue;
      }
      PeerLink link = links.get(message.to());
      if (link != null) {
        link.offer(message);
      } else if (message.to() != self.memberId()) {
        unreachable(message.to());
      }
    }
  }

  @Override
  public void changed(ClusterView newView) {
    view = newView;
    execute(() -> reconcile(newView));
  }

  private void reconcile(ClusterView now) {
    for (Member member : now.members().values()) {
      if (member.id() != self.memberId()) {
        dial(member.id(), member.peerUrls());
      }
    }
    for (Long id : Set.copyOf(links.keySet())) {
      if (now.isRemoved(id)) {
        loop.schedule(() -> hangUp(id), REMOVED_GRACE_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
    if (now.isRemoved(self.memberId())) {
      loop.schedule(this::removedFromCluster, REMOVED_GRACE_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** A caller introduced itself. */
  void introduce(long id, List<String> urls) {
    if (!links.containsKey(id) && id != self.memberId()) {
      execute(() -> meet(id, urls));
    }
  }

  /** Dials a member that the membership does not know (yet). */
  private void meet(long id, List<String> urls) {
    ClusterView now = view;
    boolean known = now != null && (now.member(id) != null || now.isRemoved(id));
    if (!known && id != self.memberId() && !links.containsKey(id) && strangers(now) < STRANGERS_MAX) {
      dial(id, urls);
    }
  }

  private long strangers(ClusterView now) {
    return now == null ? 0 : links.keySet().stream().filter(id -> now.member(id) == null).count();
  }

  private void dial(long id, List<String> urls) {
    if (closed) {
      return;
    }
    List<PeerUrls.Endpoint> endpoints = new ArrayList<>(urls.size());
    for (String url : urls) {
      try {
        endpoints.add(PeerUrls.parse(url));
      } catch (IllegalArgumentException e) {
        LOG.warn("ignored a peer URL", "remote-peer-id", MemberIds.hex(id), "error", e.getMessage());
      }
    }
    links.computeIfAbsent(id, k -> new PeerLink(k, self, channels, loop, new Events(), meter)).update(endpoints);
  }

  private void hangUp(long id) {
    PeerLink link = links.remove(id);
    if (link != null) {
      link.close();
      reportedNanos.remove(id);
      meter.of(id).known = false;
      LOG.info("removed remote peer", "local-member-id", MemberIds.hex(self.memberId()), "removed-remote-peer-id", MemberIds.hex(id));
    }
  }

  private void removedFromCluster() {
    if (!toldRemoved && !closed) {
      toldRemoved = true;
      LOG.warn(PeerIdentity.REMOVED, "local-member-id", MemberIds.hex(self.memberId()));
      removed.run();
    }
  }

  /** Reports at most every 50 ms for each member: consensus needs to know, not to be flooded. */
  private void unreachable(long id) {
    RaftNode raft = node;
    long now = System.nanoTime();
    Long last = reportedNanos.get(id);
    if (raft != null && (last == null || now - last > UNREACHABLE_REPORT_NANOS)) {
      reportedNanos.put(id, now);
      raft.reportUnreachable(id);
    }
  }

  @Override
  public long connectedMillis(long member) {
    PeerLink link = links.get(member);
    return link == null ? -1 : link.connectedMillis();
  }

  /** For single calls to a member, with the headers that they need; null when it is unknown. */
  Channel channel(long member) {
    PeerLink link = links.get(member);
    Channel channel = link == null ? null : link.channel();
    return channel == null ? null : ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(self.headers(member)));
  }

  /** Where a member is reached, for a connection of one's own; null when it is unknown. */
  PeerUrls.Endpoint endpoint(long member) {
    PeerLink link = links.get(member);
    return link == null ? null : link.endpoint();
  }

  private void execute(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("the transport's thread has stopped");
    }
  }

  /** Hangs up everywhere; what is still queued is dropped. */
  @Override
  public void close() {
    closed = true;
    execute(
        () -> {
          links.values().forEach(PeerLink::close);
          links.clear();
        });
  }

  private final class Events implements PeerLink.PeerEvents {
    @Override
    public void unreachable(long member) {
      PeerTransport.this.unreachable(member);
    }

    @Override
    public void disconnected(long member) {
      RaftNode raft = node;
      if (raft != null && !closed) {
        raft.peerClosed(member);
      }
    }

    @Override
    public boolean isLeader(long member) {
      RaftNode raft = node;
      return raft != null && raft.status().leader() == member;
    }

    @Override
    public void returned(Message proposal) {
      RaftNode raft = node;
      if (raft != null && !closed) {
        for (Entry entry : proposal.entries()) {
          // Refused, it is lost as any message may be: its caller waits for its time-out.
          switch (entry.type()) {
            case NORMAL -> raft.propose(entry.data());
            case MEMBERSHIP -> raft.proposeMembership(MembershipChange.decode(entry.data()));
          }
        }
      }
    }

    @Override
    public void removed() {
      removedFromCluster();
    }
  }
}
