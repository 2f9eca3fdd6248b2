package io.kvorum.server.process;

import io.grpc.ServerServiceDefinition;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.StoreCorruptException;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftConfig;
import io.kvorum.raft.log.LogCorruptException;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.raft.node.DriverOptions;
import io.kvorum.raft.node.RaftDriver;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.raft.node.RemovedException;
import io.kvorum.raft.node.TimeSource;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.ClusterService;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.LeaderDuties;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.MembershipProposals;
import io.kvorum.server.cluster.Promotion;
import io.kvorum.server.cluster.Publisher;
import io.kvorum.server.cluster.ReconfigRules;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.config.Urls;
import io.kvorum.server.front.GrpcPort;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.HttpRoutes;
import io.kvorum.server.kv.CallRules;
import io.kvorum.server.kv.KvService;
import io.kvorum.server.kv.LeaderlessStreams;
import io.kvorum.server.kv.RevisionWaits;
import io.kvorum.server.lease.LeaseKeeper;
import io.kvorum.server.lease.LeaseService;
import io.kvorum.server.lease.Lessor;
import io.kvorum.server.lease.LocalLeases;
import io.kvorum.server.logging.Log;
import io.kvorum.server.maintenance.AutoCompactor;
import io.kvorum.server.maintenance.ContentHash;
import io.kvorum.server.maintenance.MaintenanceService;
import io.kvorum.server.peer.PeerCalls;
import io.kvorum.server.peer.PeerIdentity;
import io.kvorum.server.peer.PeerService;
import io.kvorum.server.peer.PeerTransport;
import io.kvorum.server.peer.SnapshotReceiver;
import io.kvorum.server.peer.SnapshotSender;
import io.kvorum.server.propose.LogProposals;
import io.kvorum.server.propose.PendingCalls;
import io.kvorum.server.propose.ReadIndexReads;
import io.kvorum.server.propose.SpaceQuota;
import io.kvorum.server.watch.WatchGuard;
import io.kvorum.server.watch.WatchHub;
import io.kvorum.server.watch.WatchService;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** A member without its client ports: state, consensus, peers and services, wired by hand. */
final class Member implements AutoCloseable {
  private static final Log LOG = Log.of(Member.class);
  private static final long DUTIES_MILLIS = 500;
  private static final long LOOK_MILLIS = 100;
  private static final long FUTURE_READ_MILLIS = 1_000;
  private static final int PEER_BODY_BYTES = 64 << 10;
  private static final int PEER_PING_MILLIS = 1_000;

  private final Genesis genesis;
  private final ServerConfig.Maintenance compaction;
  private final PeerNetwork network;
  private final Threads threads;
  private final MvccStore store;
  private final Members members;
  private final Alarms alarms = new Alarms();
  private final WatchHub watches;
  private final LogProposals proposals;
  private final RaftNode node;
  private final PeerTransport transport;
  private final SnapshotSender snapshots;
  private final SnapshotReceiver received;
  private final LeaseKeeper leases;
  private final Kernel kernel;
  private final ClientPorts.Content content;
  private final List<GrpcPort> peerPorts = new ArrayList<>();
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

  private Member(
      ServerConfig config,
      DataDirectory directory,
      Genesis genesis,
      PeerNetwork network,
      MvccStore store,
      SegmentedLog log,
      ServerMetrics.LogSyncs syncs)
      throws IOException {
    HaltingFailPoint failPoint = HaltingFailPoint.of(System.getenv(HaltingFailPoint.VARIABLE));
    Limits limits = config.limits();
    this.genesis = genesis;
    this.compaction = config.maintenance();
    this.network = network;
    this.store = store;
    this.threads = Threads.create(Runtime.getRuntime().availableProcessors());
    this.members = new Members(genesis);
    Lessor lessor = new Lessor(System::nanoTime);
    PendingCalls calls = new PendingCalls(genesis.memberId(), System.currentTimeMillis(), System::nanoTime, limits);
    RevisionWaits waits = new RevisionWaits(threads.timer(), threads.readers(), FUTURE_READ_MILLIS);
    AtomicReference<Kernel> late = new AtomicReference<>();
    this.watches = new WatchHub(store, revision -> late.get().header(revision), limits, System::nanoTime, ThreadLocalRandom.current());
    Machine machine = new Machine(new Machine.Parts(store, lessor, members, alarms), calls, List.of(watches, waits));
    PeerIdentity self = new PeerIdentity(genesis.clusterId(), genesis.memberId(), () -> ownPeerUrls(config));
    this.transport = new PeerTransport(self, network.channels(), network.loop(), () -> failure.complete(new RemovedException(genesis.memberId())));
    long checkpointTerm = store.checkpoint().term();
    SnapshotMeta start =
        config.cluster().forceNew()
            ? ForcedCluster.force(machine, members, log, checkpointTerm)
            : new SnapshotMeta(machine.appliedIndex(), checkpointTerm, members.view().membership());
    this.node =
        RaftDriver.open(
            new RaftConfig(genesis.memberId(), limits.electionMillis() / limits.heartbeatMillis(), 1, 1 << 20, 16 << 20, 512, 256 << 20, 16 << 20),
            driverOptions(config), log,
            start, machine, transport, TimeSource.SYSTEM,
            bound -> ThreadLocalRandom.current().nextInt(bound), failPoint);
    node.failure().thenAccept(failure::complete);
    this.proposals = new LogProposals(genesis.memberId(), node, calls, new SpaceQuota(genesis.memberId(), store, alarms, limits), limits, threads.timer());
    this.kernel = new Kernel(genesis.clusterId(), genesis.memberId(), store, node::status, proposals, new ReadIndexReads(node), limits);
    late.set(kernel);
    this.leases = new LeaseKeeper(lessor, kernel, threads.leases());
    LocalLeases localLeases = new LocalLeases(lessor, leases, kernel, threads.timer());
    PeerCalls peerCalls = new PeerCalls(transport, limits);
    MembershipProposals changes = new MembershipProposals(proposals, threads.timer(), limits);
    ReconfigRules rules = new ReconfigRules(config.cluster().strictReconfigCheck(), genesis.memberId(), transport);
    Promotion promotion = new Promotion(kernel, members, rules, changes, peerCalls, threads.timer());
    ContentHash hash = new ContentHash(kernel, threads.workers());
    this.snapshots = new SnapshotSender(self, transport, network.channels(), store, node, 0, failPoint);
    this.received = new SnapshotReceiver(directory.member(), store, node, failPoint);
    PeerService peers = new PeerService(self, members, transport, node, received, localLeases, promotion, hash);
    listenToPeers(config, peers.definition());
    LeaderlessStreams streams = new LeaderlessStreams(node::status).start(threads.timer(), limits.electionMillis());
    HealthEndpoints health = new HealthEndpoints(new MemberHealth(kernel, members, alarms));
    ServerMetrics.LeaderChanges leaderChanges = new ServerMetrics.LeaderChanges();
    threads.timer().scheduleWithFixedDelay(() -> leaderChanges.look(node.status().leader()), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    List<ServerServiceDefinition> services =
        List.of(
            new KvService(kernel, waits, threads.readers()).bind(),
            new WatchService(watches, WatchGuard.ALLOW_ALL).bindService(),
            new LeaseService(kernel, lessor, localLeases, peerCalls, threads.timer(), ThreadLocalRandom.current()).bindService(),
            new ClusterService(kernel, members, rules, changes, promotion, config.cluster().maxLearners(), () -> System.currentTimeMillis() / 1000)
                .bindService(),
            new MaintenanceService(kernel, members, alarms, node, hash, config.maintenance().configuredQuotaBytes()).bindService());
    this.content =
        new ClientPorts.Content(
            services, List.of(new CallRules(node::status, streams)), health, new ServerMetrics(kernel, members, watches, health, leaderChanges, syncs),
            () -> members.view().clusterVersion());
  }

  /** As the cluster knows them, which may have been changed since the first start. */
  private List<String> ownPeerUrls(ServerConfig config) {
    io.kvorum.server.cluster.Member self = members.view().member(genesis.memberId());
    return self == null ? config.cluster().advertisePeerUrls() : self.peerUrls();
  }

  /**
   * Opens everything and listens to peers; nothing runs yet.
   *
   * @throws StartException when data is damaged or a peer port is taken
   */
  static Member open(ServerConfig config, DataDirectory directory, Genesis genesis, PeerNetwork network) throws StartException, IOException {
    HaltingFailPoint failPoint = HaltingFailPoint.of(System.getenv(HaltingFailPoint.VARIABLE));
    ServerMetrics.LogSyncs syncs = new ServerMetrics.LogSyncs();
    MvccStore store = null;
    SegmentedLog log = null;
    boolean opened = false;
    try {
      store = MvccStore.open(directory.store(), new MvccOptions(MvccOptions.DEFAULT.reserveBytes(), false, failPoint));
      log = SegmentedLog.open(directory.log(), logOptions(config, failPoint).withObserver(syncs));
      Member member = new Member(config, directory, genesis, network, store, log, syncs);
      opened = true;
      return member;
    } catch (StoreCorruptException | LogCorruptException damaged) {
      throw new StartException("data is damaged; replace this member", damaged.getMessage());
    } finally {
      if (!opened) {
        closeQuietly(log);
        closeQuietly(store);
      }
    }
  }

  private static LogOptions logOptions(ServerConfig config, HaltingFailPoint failPoint) {
    return LogOptions.defaults().withRetention(config.maintenance().maxLogFiles(), config.maintenance().keepEntries()).withFailPoint(failPoint);
  }

  private static DriverOptions driverOptions(ServerConfig config) {
    Limits limits = config.limits();
    int electionTicks = limits.electionMillis() / limits.heartbeatMillis();
    DriverOptions options = DriverOptions.of(limits.heartbeatMillis(), limits.electionMillis());
    return config.cluster().electionTickAdvance() ? options.withInitialTicks(electionTicks - 1) : options;
  }

  private static void closeQuietly(AutoCloseable part) {
    if (part != null) {
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("not closed cleanly", "part", part.getClass().getSimpleName(), "error", String.valueOf(e.getMessage()));
      }
    }
  }

  private void listenToPeers(ServerConfig config, ServerServiceDefinition peers) throws IOException {
    HttpRoutes http = new HttpRoutes().get("/version", request -> ClientPorts.version(members.view().clusterVersion()));
    GrpcPort.Bounds bounds = new GrpcPort.Bounds(PeerService.MESSAGE_BYTES_MAX, PEER_BODY_BYTES, Integer.MAX_VALUE, PEER_PING_MILLIS, true, 0, 0, false);
    for (String url : config.listen().peerUrls()) {
      peerPorts.add(GrpcPort.open(Urls.bindAddress(url), network.loops(), List.of(peers), List.of(), http, bounds));
    }
  }

  /** Consensus, deliveries and connections begin. */
  void start() {
    watches.start();
    proposals.start();
    leases.start(threads.timer());
    transport.start(node, genesis.contacts(), snapshots);
    members.listen(transport);
    node.start();
    LeaderDuties duties = new LeaderDuties(members, node::status, proposals, Version.CLUSTER);
    threads.timer().scheduleWithFixedDelay(duties, LOOK_MILLIS, DUTIES_MILLIS, TimeUnit.MILLISECONDS);
    if (compaction.autoCompactionRetention() > 0) {
      AutoCompactor compactor =
          new AutoCompactor(kernel, compaction.autoCompactionRevisions(), compaction.autoCompactionRetention(), System::nanoTime);
      threads.timer().scheduleWithFixedDelay(compactor, compactor.intervalNanos(), compactor.intervalNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /** Announces name and client URLs through the log; completes when they are there, then this member is up to date as of its start. */
  CompletableFuture<Void> publish(String name, List<String> clientUrls) {
    return new Publisher(proposals, threads.timer()).publish(genesis.memberId(), name, clientUrls);
  }

  long id() {
    return genesis.memberId();
  }

  ClientPorts.Content content() {
    return content;
  }

  RaftStatus status() {
    return node.status();
  }

  CompletableFuture<Boolean> transferLeadership() {
    return node.transferLeadership(0);
  }

  CompletableFuture<Throwable> failure() {
    return failure;
  }

  @Override
  public void close() {
    proposals.close();
    leases.close();
    watches.close();
    node.close();
    transport.close();
    snapshots.close();
    received.close();
    peerPorts.forEach(GrpcPort::close);
    closeQuietly(store);
    threads.close();
    network.close();
  }
}
