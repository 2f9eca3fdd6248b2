package io.kvorum.server.process;

import io.grpc.ServerServiceDefinition;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.admin.AdminService;
import io.kvorum.server.admin.Certificates;
import io.kvorum.server.admin.DataFiles;
import io.kvorum.server.admin.Description;
import io.kvorum.server.admin.Reloader;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AccessInterceptor;
import io.kvorum.server.auth.AuthService;
import io.kvorum.server.auth.ClientProposals;
import io.kvorum.server.auth.OwnProposals;
import io.kvorum.server.auth.Tokens;
import io.kvorum.server.backup.BackupService;
import io.kvorum.server.backup.ChainMarks;
import io.kvorum.server.backup.MemberState;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.cluster.ClusterService;
import io.kvorum.server.cluster.MembershipProposals;
import io.kvorum.server.cluster.Promotion;
import io.kvorum.server.cluster.ReconfigRules;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.gateway.Gateway;
import io.kvorum.server.kv.AnswerLimits;
import io.kvorum.server.kv.CallRules;
import io.kvorum.server.kv.KvService;
import io.kvorum.server.kv.LeaderlessStreams;
import io.kvorum.server.lease.LeaseKeeper;
import io.kvorum.server.lease.LeaseService;
import io.kvorum.server.lease.LeasesService;
import io.kvorum.server.lease.LocalLeases;
import io.kvorum.server.maintenance.ContentHash;
import io.kvorum.server.maintenance.MaintenanceService;
import io.kvorum.server.maintenance.Snapshots;
import io.kvorum.server.metrics.CallMeter;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.ProcessMetrics;
import io.kvorum.server.peer.PeerCalls;
import io.kvorum.server.peer.PeerTransport;
import io.kvorum.server.recipe.ElectionService;
import io.kvorum.server.recipe.LockService;
import io.kvorum.server.watch.WatchService;
import java.util.ArrayList;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** What clients call, and what answers other members' forwarded calls. */
final class Services {
  private static final long LOOK_MILLIS = 100;
  private static final long SWEEP_MILLIS = 1_000;
  private static final double SNAPSHOT_FIRST_SECONDS = 0.01;
  private static final int SNAPSHOT_BOUNDS = 17;

  /** Of the memory that the JVM may take, for answers that clients have not taken. */
  private static final int OUTBOUND_SHARE = 4;

  private static final long OUTBOUND_BYTES_LEAST = 2 * OutboundBudget.CONNECTION_BYTES;

  private final CurrentConfig current;

  /** As of the start, for what never changes. */
  private final ServerConfig config;

  private final Kernel kernel;
  private final Access access;

  /** Its proposals carry who makes the call. */
  private final Kernel clients;

  private final Replica replica;
  private final Threads threads;
  final PeerCalls calls;
  private final MembershipProposals changes;
  private final ReconfigRules rules;
  final LeaseKeeper leases;
  final LocalLeases localLeases;
  final Promotion promotion;
  final ContentHash hash;

  private BackupService backups;

  /** How long snapshots for clients took. */
  private final Histogram snapshotDurations = new Histogram(SNAPSHOT_FIRST_SECONDS, SNAPSHOT_BOUNDS);

  Services(CurrentConfig current, Kernel kernel, Tokens tokens, Replica replica, Threads threads, PeerTransport transport) {
    this.current = current;
    this.config = current.get();
    this.kernel = kernel;
    this.access = new Access(replica.auth(), tokens);
    this.clients = kernel.with(new ClientProposals(kernel.proposals(), access));
    this.replica = replica;
    this.threads = threads;
    this.calls = new PeerCalls(transport, kernel.limits());
    this.changes = new MembershipProposals(kernel.proposals(), threads.timer(), kernel.limits());
    this.rules = new ReconfigRules(config.cluster().strictReconfigCheck(), kernel.memberId(), transport);
    this.leases = new LeaseKeeper(replica.lessor(), kernel.with(new OwnProposals(kernel.proposals())), threads.leases());
    this.localLeases = new LocalLeases(replica.lessor(), leases, kernel, threads.timer());
    this.promotion = new Promotion(kernel, replica.members(), rules, changes, calls, threads.timer());
    this.hash = new ContentHash(kernel, threads.workers());
    threads.timer().scheduleWithFixedDelay(tokens::sweep, SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * What is this process's own.
   *
   * @param last newest entry of its log
   * @param state what backups are taken of
   * @param chains how far they are
   */
  record Own(Certificates certificates, DataFiles files, Supplier<SegmentedLog.Position> last, MemberState state, ChainMarks chains) {}

  /**
   * All that the client ports serve.
   *
   * @param sources of metrics, beside those of the services
   */
  ClientPorts.Content content(RaftNode node, List<MetricSource> sources, RandomGenerator random, Own own) {
    // Two members in one process, as tests have them, must not meet here.
    LocalPort local = new LocalPort("member-" + Long.toHexString(kernel.memberId()) + "-" + Long.toHexString(random.nextLong()));
    GrpcHealth grpcHealth = new GrpcHealth(config.featureGates().get("StopGRPCServiceOnDefrag"));
    List<ServerServiceDefinition> services =
        List.of(
            new KvService(clients, access, replica.waits(), threads.readers(), replica.meter()).bind(),
            new WatchService(replica.watches(), access::watch).bindService(),
            new LeaseService(clients, access, replica.lessor(), localLeases, calls, threads.timer(), random).bindService(),
            new LeasesService(clients, access, replica.lessor(), () -> replica.members().view().featureLevel(), random).bindService(),
            new ClusterService(
                    clients, replica.members(), rules, changes, promotion, () -> current.get().cluster().maxLearners(), () -> System.currentTimeMillis() / 1000)
                .bindService(),
            new AuthService(clients, kernel.proposals(), access, replica.auth(), threads.passwords(), config.auth().bcryptCost()).bindService(),
            new MaintenanceService(
                    clients, replica.members(), replica.alarms(), node, hash, snapshots(node), () -> current.get().maintenance().configuredQuotaBytes(), grpcHealth)
                .bindService(),
            admin(own),
            backups(own, random).bindService(),
            new LockService(local::channel, threads.programs()).bindService(),
            new ElectionService(local::channel, threads.programs()).bindService(),
            grpcHealth.bindService());
    LeaderlessStreams streams = new LeaderlessStreams(node::status).start(threads.timer(), kernel.limits().electionMillis());
    HealthEndpoints health = new HealthEndpoints(new MemberHealth(kernel, replica.members(), replica.alarms()));
    MemberMetrics member = new MemberMetrics(kernel, replica.members(), config.featureGates());
    threads.timer().scheduleWithFixedDelay(() -> member.look(node.status().leader()), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    CallRules callRules = new CallRules(node::status, streams);
    CallMeter meter =
        new CallMeter(services, config.http().extensiveMetrics(), config.maintenance().warningUnaryRequestDuration().toNanos(), SlowCallLog.INSTANCE);
    current.listen(() -> meter.warnAfter(current.get().maintenance().warningUnaryRequestDuration().toNanos()));
    List<MetricSource> all = new ArrayList<>(sources);
    all.addAll(
        List.of(
            member, meter, new MaintenanceTimes(meter, snapshotDurations), callRules, health, replica.auth(), replica.meter(), replica.lessor(), replica.watches(),
            leases, localLeases, promotion,
            new CertificateExpiry(own.certificates), new ProcessMetrics()));
    OutboundBudget outbound = new OutboundBudget(Math.max(OUTBOUND_BYTES_LEAST, Runtime.getRuntime().maxMemory() / OUTBOUND_SHARE), System::nanoTime);
    all.add(outbound);
    ServerMetrics metrics = new ServerMetrics(all, node::status);
    AccessInterceptor permissions =
        new AccessInterceptor(access, () -> node.status().applied(), threads.timer(), kernel.limits().requestMillis(), config.auth().clientCertificates());
    return new ClientPorts.Content(
        services, List.of(permissions, callRules, new AnswerLimits()), meter, outbound, local, new Gateway(local::channel, threads.programs(), kernel.limits().maxMessageBytes()), health, metrics,
        () -> replica.members().view().clusterVersion());
  }

  private ServerServiceDefinition admin(Own own) {
    long startedMillis = ManagementFactory.getRuntimeMXBean().getStartTime();
    Description description =
        new Description(kernel, replica.members(), replica.alarms(), current, own.certificates, own.files, own.last, startedMillis, System::currentTimeMillis);
    return new AdminService(kernel, description, new Reloader(current, own.certificates), threads.readers()).bindService();
  }

  private BackupService backups(Own own, RandomGenerator random) {
    BackupService.ChainNews news =
        (chain, index) ->
            replica.members().view().members().keySet().stream().filter(id -> id != kernel.memberId()).forEach(id -> calls.keepLog(id, chain, index));
    BackupService.Workers workers = new BackupService.Workers(threads.senders(), threads.workers(), threads.timer());
    backups = new BackupService(kernel, own.state, own.chains, news, () -> replica.members().view().featureLevel(), workers, random);
    return backups;
  }

  /** Lets go of what callers hold. */
  void closeBackups() {
    backups.close();
  }

  private Snapshots snapshots(RaftNode node) {
    return new Snapshots(() -> node.atPosition(replica::freeze), threads.senders(), snapshotDurations::record);
  }
}
