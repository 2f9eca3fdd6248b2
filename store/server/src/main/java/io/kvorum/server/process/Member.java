package io.kvorum.server.process;

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
import io.kvorum.server.admin.Certificates;
import io.kvorum.server.admin.DataFiles;
import io.kvorum.server.auth.OwnProposals;
import io.kvorum.server.auth.SimpleTokens;
import io.kvorum.server.auth.TokenOptions;
import io.kvorum.server.auth.Tokens;
import io.kvorum.server.backup.ChainMarks;
import io.kvorum.server.backup.MemberState;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.LeaderDuties;
import io.kvorum.server.cluster.Publisher;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.GoSyntax;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.config.Urls;
import io.kvorum.server.front.GrpcPort;
import io.kvorum.server.front.HttpRoutes;
import io.kvorum.server.front.PortTls;
import io.kvorum.server.logging.Log;
import io.kvorum.server.maintenance.CorruptionCheck;
import io.kvorum.server.maintenance.PeerHashes;
import io.kvorum.server.peer.FirstCalls;
import io.kvorum.server.peer.PeerIdentity;
import io.kvorum.server.peer.PeerService;
import io.kvorum.server.peer.PeerTransport;
import io.kvorum.server.peer.SnapshotReceiver;
import io.kvorum.server.peer.SnapshotSender;
import io.kvorum.server.propose.LogProposals;
import io.kvorum.server.propose.ReadIndexReads;
import io.kvorum.server.propose.SpaceQuota;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A member without its client ports: state, consensus, peers and services, wired by hand. */
final class Member implements AutoCloseable {
  private static final Log LOG = Log.of(Member.class);
  private static final long DUTIES_FIRST_MILLIS = 100;
  private static final long DUTIES_MILLIS = 500;
  private static final String CONTENT_COMPARED_FIRST = "InitialCorruptCheck";
  private static final int PEER_BODY_BYTES = 64 << 10;
  private static final int PEER_PING_MILLIS = 1_000;

  private final CurrentConfig current;

  /** As of the start, for what never changes. */
  private final ServerConfig config;

  private final Genesis genesis;
  private final PeerNetwork network;
  private final Threads threads;
  private final Replica replica;
  private final PeerIdentity identity;
  private final PeerTransport transport;
  private final RaftNode node;
  private final LogProposals proposals;
  private final Kernel kernel;
  private final Services services;
  private final SnapshotSender snapshots;
  private final SnapshotReceiver received;
  private final ChainMarks chains;
  private final ClientPorts.Content content;
  private final List<GrpcPort> peerPorts = new ArrayList<>();
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

  /** What was opened for this member before it is composed. */
  private record Opened(Threads threads, MvccStore store, SegmentedLog log, DiskMeter disk, HaltingFailPoint failPoint) {
    boolean spaceLow() {
      return store.spaceLow() || log.spaceLow();
    }
  }

  private Member(CurrentConfig current, DataDirectory directory, Genesis genesis, PeerNetwork network, Opened opened)
      throws IOException, StartException {
    ServerConfig config = current.get();
    Limits limits = config.limits();
    // Shared by many threads; ids that are drawn from it must differ between members and starts.
    Random random = new Random();
    this.current = current;
    this.config = config;
    this.genesis = genesis;
    this.network = network;
    this.threads = opened.threads;
    SimpleTokens simple = new SimpleTokens(System::nanoTime, config.auth().tokenTtlSeconds(), new SecureRandom(), opened.log.last().index());
    Tokens tokens = tokens(config, simple);
    this.replica = Replica.open(genesis, opened.store, simple, limits, config.maintenance().warningApplyDuration(), threads, random);
    current.listen(() -> replica.meter().warnAfter(current.get().maintenance().warningApplyDuration()));
    this.identity = new PeerIdentity(genesis.clusterId(), genesis.memberId(), this::ownPeerUrls);
    this.transport = new PeerTransport(identity, network.channels(), network.loop(), () -> failure.complete(new RemovedException(genesis.memberId())));
    this.node = consensus(opened, random);
    node.failure().thenAccept(failure::complete);
    SpaceQuota quota = new SpaceQuota(genesis.memberId(), opened.store, opened::spaceLow, replica.alarms(), () -> current.get().limits().quotaBytes());
    this.proposals = new LogProposals(genesis.memberId(), node, replica.calls(), quota, limits, threads.timer());
    ReadIndexReads reads = new ReadIndexReads(node);
    this.kernel = new Kernel(genesis.clusterId(), genesis.memberId(), opened.store, node::status, proposals, reads, () -> current.get().limits());
    replica.kernel().set(kernel);
    this.services = new Services(current, kernel, tokens, replica, threads, transport);
    this.snapshots = new SnapshotSender(identity, transport, network.channels(), opened.store, node, 0, opened.failPoint);
    this.received = new SnapshotReceiver(directory.member(), opened.store, node, opened.failPoint);
    Certificates certificates = new Certificates(network.tls().files().client(), network.tls().files().peer());
    DataFiles files = new DataFiles(directory.store(), directory.log());
    this.chains = new ChainMarks(directory.member().resolve("chains"), opened.log.holds(), System::currentTimeMillis, threads.workers());
    MemberState state = new MemberState(opened.store, node, opened.log, genesis.toProto().toByteArray(), config.name());
    this.content =
        services.content(node, List.of(opened.disk, transport.metrics(), proposals, reads), random, new Services.Own(certificates, files, opened.log::last, state, chains));
  }

  /**
   * Opens everything; nothing runs, and nobody is listened to yet.
   *
   * @throws StartException when data is damaged
   */
  static Member open(CurrentConfig current, DataDirectory directory, Genesis genesis, PeerNetwork network) throws StartException, IOException {
    HaltingFailPoint failPoint = HaltingFailPoint.of(System.getenv(HaltingFailPoint.VARIABLE));
    DiskMeter disk = new DiskMeter(System::currentTimeMillis);
    Threads threads = Threads.create(Runtime.getRuntime().availableProcessors());
    MvccStore store = null;
    SegmentedLog log = null;
    boolean opened = false;
    try {
      store = MvccStore.open(directory.store(), new MvccOptions(MvccOptions.DEFAULT.reserveBytes(), false, failPoint));
      store.observe(disk);
      ServerConfig.Maintenance maintenance = current.get().maintenance();
      LogOptions logOptions = LogOptions.defaults().withRetention(maintenance.maxLogFiles(), maintenance.keepEntries());
      log = SegmentedLog.open(directory.log(), logOptions.withFailPoint(failPoint).withObserver(disk));
      begun(directory);
      Member member = new Member(current, directory, genesis, network, new Opened(threads, store, log, disk, failPoint));
      opened = true;
      return member;
    } catch (StoreCorruptException | LogCorruptException damaged) {
      throw new StartException("data is damaged; replace this member", damaged.getMessage());
    } finally {
      if (!opened) {
        closeQuietly(log);
        closeQuietly(store);
        threads.close();
      }
    }
  }

  private static void begun(DataDirectory directory) throws StartException, IOException {
    try {
      directory.logBegun();
    } catch (DataDirectory.RefusedException refused) {
      throw new StartException("data directory refused", refused.getMessage());
    }
  }

  private static Tokens tokens(ServerConfig config, SimpleTokens simple) throws StartException {
    String flag = config.auth().token();
    try {
      return TokenOptions.isJwt(flag) ? TokenOptions.jwt(flag, GoSyntax::duration, () -> System.currentTimeMillis() / 1_000) : simple;
    } catch (IllegalArgumentException unusable) {
      throw new StartException("cannot use --auth-token", unusable.getMessage());
    }
  }

  private RaftNode consensus(Opened opened, Random random) throws IOException {
    Limits limits = config.limits();
    int electionTicks = limits.electionMillis() / limits.heartbeatMillis();
    RaftConfig defaults = RaftConfig.defaults(genesis.memberId());
    RaftConfig protocol =
        new RaftConfig(
            genesis.memberId(), electionTicks, 1, defaults.maxMessageBytes(), defaults.maxInflightBytes(), defaults.maxInflightMessages(),
            defaults.maxUncommittedBytes(), defaults.maxCommittedBytes());
    DriverOptions driver = DriverOptions.of(limits.heartbeatMillis(), limits.electionMillis());
    if (config.cluster().electionTickAdvance()) {
      driver = driver.withInitialTicks(electionTicks - 1);
    }
    return RaftDriver.open(
        protocol, driver, opened.log, standing(opened), replica.machine(), transport, TimeSource.SYSTEM, random::nextInt, opened.failPoint);
  }

  /** Where the state machine stands at the start: at its checkpoint; behind the log's last committed entry when its content is to be compared first. */
  private SnapshotMeta standing(Opened opened) throws IOException {
    long checkpointTerm = opened.store.checkpoint().term();
    if (config.cluster().forceNew()) {
      return ForcedCluster.force(replica.machine(), replica.members(), opened.log, checkpointTerm);
    }
    long checkpoint = replica.machine().appliedIndex();
    if (config.featureGates().get(CONTENT_COMPARED_FIRST)) {
      Replay.run(replica.machine(), replica.members(), opened.log, Math.min(opened.log.hardState().commit(), opened.log.lastIndex()));
    }
    long index = replica.machine().appliedIndex();
    return new SnapshotMeta(index, index == checkpoint ? checkpointTerm : opened.log.term(index), replica.members().view().membership());
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

  /** As the cluster knows them, which may have been changed since the first start. */
  private List<String> ownPeerUrls() {
    io.kvorum.server.cluster.Member self = replica.members().view().member(genesis.memberId());
    return self == null ? config.cluster().advertisePeerUrls() : self.peerUrls();
  }

  /**
   * Opens the peer ports. Not before {@link #compareContent}: who asks a member that is about to be refused for its hash would raise the alarm against it.
   *
   * @throws IOException also when a port is taken
   */
  void listen() throws IOException {
    PeerService peers = new PeerService(identity, replica.members(), transport, node, received, services.localLeases, services.promotion, services.hash, chains::set);
    HttpRoutes http =
        new HttpRoutes()
            .get("/version", request -> ClientPorts.version(replica.members().view().clusterVersion()))
            .route(HashEndpoint.PATH, new HashEndpoint(genesis.clusterId(), genesis.memberId(), (member, revision, completion) -> services.hash.hash(revision, completion)));
    GrpcPort.Bounds bounds = new GrpcPort.Bounds(PeerService.MESSAGE_BYTES_MAX, PEER_BODY_BYTES, Integer.MAX_VALUE, PEER_PING_MILLIS, true, 0, 0, false);
    List<String> urls = config.listen().peerUrls();
    for (String url : ServerTls.addresses(urls)) {
      PortTls tls = ServerTls.of(url, urls, network.tls().peer());
      peerPorts.add(GrpcPort.open(Urls.bindAddress(url), network.loops(), List.of(peers.definition()), List.of(), http, tls, bounds));
    }
  }

  /**
   * With the feature gate {@link #CONTENT_COMPARED_FIRST}, compares the content of a member that has some with the others', before it takes part.
   *
   * @throws StartException when it differs
   */
  void compareContent(boolean newMember) throws StartException {
    if (newMember || !config.featureGates().get(CONTENT_COMPARED_FIRST)) {
      return;
    }
    FirstCalls others = new FirstCalls(identity, network.channels(), replica.members(), config.limits().requestMillis());
    String refusal = corruption(others).initial();
    if (refusal != null) {
      throw new StartException("checkInitialHashKV failed", refusal);
    }
  }

  private CorruptionCheck corruption(PeerHashes others) {
    return new CorruptionCheck(kernel.with(new OwnProposals(proposals)), replica.members(), replica.alarms(), services.hash, others);
  }

  /** Consensus, deliveries and connections begin. */
  void start() {
    replica.watches().start();
    proposals.start();
    services.leases.start(threads.timer());
    transport.start(node, genesis.contacts(), snapshots);
    replica.members().listen(transport);
    node.start();
    LeaderDuties duties = new LeaderDuties(replica.members(), node::status, proposals, Version.CLUSTER);
    threads.timer().scheduleWithFixedDelay(duties, DUTIES_FIRST_MILLIS, DUTIES_MILLIS, TimeUnit.MILLISECONDS);
    new PeriodicWork(current, kernel.with(new OwnProposals(proposals)), corruption(services.calls), threads).start();
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
    services.leases.close();
    services.closeBackups();
    replica.watches().close();
    node.close();
    transport.close();
    received.close();
    peerPorts.forEach(GrpcPort::close);
    closeQuietly(replica.store());
    threads.close();
    network.close();
  }
}
