package io.kvorum.server.process;

import io.grpc.ServerServiceDefinition;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.cluster.ClusterService;
import io.kvorum.server.cluster.MembershipProposals;
import io.kvorum.server.cluster.Promotion;
import io.kvorum.server.cluster.ReconfigRules;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.gateway.Gateway;
import io.kvorum.server.kv.CallRules;
import io.kvorum.server.kv.KvService;
import io.kvorum.server.kv.LeaderlessStreams;
import io.kvorum.server.lease.LeaseKeeper;
import io.kvorum.server.lease.LeaseService;
import io.kvorum.server.lease.LocalLeases;
import io.kvorum.server.maintenance.ContentHash;
import io.kvorum.server.maintenance.MaintenanceService;
import io.kvorum.server.peer.PeerCalls;
import io.kvorum.server.peer.PeerTransport;
import io.kvorum.server.recipe.ElectionService;
import io.kvorum.server.recipe.LockService;
import io.kvorum.server.watch.WatchGuard;
import io.kvorum.server.watch.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** What clients call, and what answers other members' forwarded calls. */
final class Services {
  private static final long LOOK_MILLIS = 100;

  private final ServerConfig config;
  private final Kernel kernel;
  private final Replica replica;
  private final Threads threads;
  private final PeerCalls calls;
  private final MembershipProposals changes;
  private final ReconfigRules rules;
  final LeaseKeeper leases;
  final LocalLeases localLeases;
  final Promotion promotion;
  final ContentHash hash;

  Services(ServerConfig config, Kernel kernel, Replica replica, Threads threads, PeerTransport transport) {
    this.config = config;
    this.kernel = kernel;
    this.replica = replica;
    this.threads = threads;
    this.calls = new PeerCalls(transport, kernel.limits());
    this.changes = new MembershipProposals(kernel.proposals(), threads.timer(), kernel.limits());
    this.rules = new ReconfigRules(config.cluster().strictReconfigCheck(), kernel.memberId(), transport);
    this.leases = new LeaseKeeper(replica.lessor(), kernel, threads.leases());
    this.localLeases = new LocalLeases(replica.lessor(), leases, kernel, threads.timer());
    this.promotion = new Promotion(kernel, replica.members(), rules, changes, calls, threads.timer());
    this.hash = new ContentHash(kernel, threads.workers());
  }

  /** All that the client ports serve. */
  ClientPorts.Content content(RaftNode node, ServerMetrics.LogSyncs syncs, RandomGenerator random) {
    // Two members in one process, as tests have them, must not meet here.
    LocalPort local = new LocalPort("member-" + Long.toHexString(kernel.memberId()) + "-" + Long.toHexString(random.nextLong()));
    List<ServerServiceDefinition> services =
        List.of(
            new KvService(kernel, replica.waits(), threads.readers()).bind(),
            new WatchService(replica.watches(), WatchGuard.ALLOW_ALL).bindService(),
            new LeaseService(kernel, replica.lessor(), localLeases, calls, threads.timer(), random).bindService(),
            new ClusterService(
                    kernel, replica.members(), rules, changes, promotion, config.cluster().maxLearners(), () -> System.currentTimeMillis() / 1000)
                .bindService(),
            new MaintenanceService(kernel, replica.members(), replica.alarms(), node, hash, config.maintenance().configuredQuotaBytes()).bindService(),
            new LockService(local::channel, threads.programs()).bindService(),
            new ElectionService(local::channel, threads.programs()).bindService(),
            new GrpcHealth().bindService());
    LeaderlessStreams streams = new LeaderlessStreams(node::status).start(threads.timer(), kernel.limits().electionMillis());
    HealthEndpoints health = new HealthEndpoints(new MemberHealth(kernel, replica.members(), replica.alarms()));
    ServerMetrics.LeaderChanges leaderChanges = new ServerMetrics.LeaderChanges();
    threads.timer().scheduleWithFixedDelay(() -> leaderChanges.look(node.status().leader()), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    ServerMetrics metrics = new ServerMetrics(kernel, replica.members(), replica.watches(), health, leaderChanges, syncs);
    return new ClientPorts.Content(
        services, List.of(new CallRules(node::status, streams)), local, new Gateway(local::channel, threads.programs()), health, metrics,
        () -> replica.members().view().clusterVersion());
  }
}
