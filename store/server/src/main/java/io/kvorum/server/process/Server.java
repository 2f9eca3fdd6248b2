package io.kvorum.server.process;

import io.kvorum.raft.node.RemovedException;
import io.kvorum.server.cluster.Bootstrap;
import io.kvorum.server.cluster.BootstrapException;
import io.kvorum.server.cluster.ClusterFlags;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.front.BindException;
import io.kvorum.server.front.NotifySocket;
import io.kvorum.server.logging.Log;
import io.kvorum.server.peer.GrpcPeerDirectory;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One running member, composed of all its parts.
 *
 * <p>Start:
 *
 * <ol>
 *   <li>the data directory is opened and locked;
 *   <li>certificates are read, or made;
 *   <li>the genesis is read, or made from the flags and the other members, and made durable;
 *   <li>store, log and state machine are opened ({@link Member}); nothing runs yet;
 *   <li>with the feature gate InitialCorruptCheck, a member that has data compares it with the others';
 *   <li>the ports are bound: a taken one refuses the start before anything was said to anybody;
 *   <li>consensus and the connections to the other members begin;
 *   <li>the member's name and client URLs are published through the log; then it is ready.
 * </ol>
 *
 * <p>Stop, in reverse: leadership is handed over, the ports are closed, consensus ends with everything applied, the files are closed.
 */
final class Server implements AutoCloseable {
  private static final Log LOG = Log.of(Server.class);
  private static final long TRANSFER_MARGIN_MILLIS = 500;

  private final ServerConfig config;
  private final DataDirectory directory;
  private final Member member;
  private final ClientPorts ports;

  private Server(ServerConfig config, DataDirectory directory, Member member, ClientPorts ports) {
    this.config = config;
    this.directory = directory;
    this.member = member;
    this.ports = ports;
  }

  /** Starts a member whose options never change. */
  static Server start(ServerConfig config) throws StartException, IOException {
    return start(new CurrentConfig(config, () -> new Parsed.Serve(config, List.of())));
  }

  /**
   * Starts a member; returns when it takes calls, though perhaps before there is a leader.
   *
   * @throws StartException with a reason for its user
   */
  static Server start(CurrentConfig current) throws StartException, IOException {
    ServerConfig config = current.get();
    DataDirectory directory = open(config);
    ServerTls tls;
    try {
      tls = ServerTls.open(config);
    } catch (StartException e) {
      directory.close();
      throw e;
    }
    boolean fixedAddress = config.featureGates().get("SetMemberLocalAddr");
    PeerNetwork network = new PeerNetwork(tls, fixedAddress ? PeerNetwork.localAddress(config.cluster().advertisePeerUrls()) : null);
    Member member = null;
    try {
      Genesis genesis = genesis(config, directory, network);
      if (config.cluster().forceNew() && !config.cluster().forceNewToken().isEmpty()) {
        genesis = ForcedCluster.newIdentity(genesis, config.cluster().forceNewToken(), directory);
      } else {
        identify(directory, genesis);
      }
      LOG.info(
          "starting an etcd server",
          "etcd-version", io.kvorum.server.base.Version.ETCD, "kvorum-version", io.kvorum.server.base.Version.kvorum(),
          "name", config.name(), "data-dir", config.dataDir().toString(), "cluster-id", MemberIds.hex(genesis.clusterId()),
          "local-member-id", MemberIds.hex(genesis.memberId()), "new-member", directory.isNew(), "force-new-cluster", config.cluster().forceNew(),
          "heartbeat-interval", config.limits().heartbeatMillis() + "ms", "election-timeout", config.limits().electionMillis() + "ms",
          "listen-peer-urls", config.listen().peerUrls(), "advertise-client-urls", config.cluster().advertiseClientUrls(),
          "listen-client-urls", config.listen().clientUrls(), "listen-metrics-urls", config.listen().metricsUrls(),
          "max-request-bytes", config.limits().maxRequestBytes(), "quota-backend-bytes", config.maintenance().configuredQuotaBytes(),
          "pid", ProcessHandle.current().pid());
      member = Member.open(current, directory, genesis, network);
      member.compareContent(directory.isNew());
      member.listen();
      ClientPorts ports = ClientPorts.open(config, tls.client(), member.content());
      Server server = new Server(config, directory, member, ports);
      server.begin();
      return server;
    } catch (BindException taken) {
      closeAll(member, network, directory);
      throw new StartException("failed to start", taken.getMessage());
    } catch (StartException | IOException | RuntimeException e) {
      closeAll(member, network, directory);
      throw e;
    }
  }

  private static void closeAll(Member member, PeerNetwork network, DataDirectory directory) throws IOException {
    if (member != null) {
      member.close();
    }
    network.close();
    directory.close();
  }

  private static DataDirectory open(ServerConfig config) throws StartException, IOException {
    try {
      DataDirectory directory = DataDirectory.open(config.dataDir(), config.walDir());
      for (String name : directory.strangers()) {
        LOG.warn("found invalid file under data directory", "filename", name, "data-dir", config.dataDir().toString());
      }
      return directory;
    } catch (DataDirectory.RefusedException refused) {
      throw new StartException("data directory refused", refused.getMessage());
    } catch (java.nio.file.AccessDeniedException denied) {
      throw new StartException("data directory refused", "cannot access data directory: " + denied.getMessage() + ": permission denied");
    }
  }

  private static void identify(DataDirectory directory, Genesis genesis) throws StartException, IOException {
    try {
      directory.identify(MemberIds.hex(genesis.clusterId()), MemberIds.hex(genesis.memberId()));
    } catch (DataDirectory.RefusedException refused) {
      throw new StartException("data directory refused", refused.getMessage());
    }
  }

  private static Genesis genesis(ServerConfig config, DataDirectory directory, PeerNetwork network) throws StartException, IOException {
    GenesisFile file = new GenesisFile(directory.member());
    Genesis known = file.read();
    if (known != null) {
      LOG.info("server has already been initialized", "data-dir", config.dataDir().toString(), "dir-type", "member");
      return known;
    }
    LOG.info("Initialize and start etcd server", "data-dir", config.dataDir().toString(), "dir-type", "empty");
    ServerConfig.Cluster cluster = config.cluster();
    ClusterFlags flags = new ClusterFlags(config.name(), cluster.advertisePeerUrls(), cluster.initial(), cluster.token(), cluster.existing());
    try {
      Genesis genesis = new Bootstrap(flags, new GrpcPeerDirectory(network.channels()), PeerUrls.Resolver.SYSTEM).run();
      file.write(genesis);
      return genesis;
    } catch (BootstrapException refused) {
      throw new StartException("failed to start", refused.getMessage());
    }
  }

  private void begin() throws IOException {
    member.start();
    LOG.info(
        "now serving peer/client/metrics",
        "local-member-id", MemberIds.hex(member.id()), "initial-advertise-peer-urls", config.cluster().advertisePeerUrls(),
        "listen-peer-urls", config.listen().peerUrls(), "advertise-client-urls", config.cluster().advertiseClientUrls(),
        "listen-client-urls", config.listen().clientUrls(), "listen-metrics-urls", config.listen().metricsUrls());
    member.publish(config.name(), config.cluster().advertiseClientUrls()).thenRun(this::ready);
  }

  private void ready() {
    ports.announceReady();
    Thread.ofPlatform().daemon().name("notify").start(() -> notifyServiceManager(System.getenv("NOTIFY_SOCKET")));
  }

  /**
   * Tells the service manager that the server is ready, as etcd does.
   *
   * @param socket null or empty when there is none to tell
   */
  private static void notifyServiceManager(String socket) {
    LOG.info("notifying init daemon");
    try {
      if (socket != null && !socket.isEmpty()) {
        NotifySocket.send(socket, "READY=1");
      }
      LOG.info("successfully notified init daemon");
    } catch (IOException e) {
      LOG.error("failed to notify systemd for readiness", "error", e.getMessage());
    }
  }

  long memberId() {
    return member.id();
  }

  /** Completes with what ended this member by itself, else never. */
  CompletableFuture<Throwable> failure() {
    return member.failure();
  }

  /** Whether that was the removal from the cluster. */
  boolean isRemoved(Throwable cause) {
    return cause instanceof RemovedException;
  }

  @Override
  public void close() {
    handOver();
    ports.close();
    member.close();
    try {
      directory.close();
    } catch (IOException e) {
      LOG.warn("data directory not closed cleanly", "error", e.getMessage());
    }
    LOG.info("closed etcd server", "name", config.name(), "data-dir", config.dataDir().toString());
  }

  /** A leader that goes away moves leadership first, so that the others need no election; an election timeout at most. */
  private void handOver() {
    var status = member.status();
    if (!status.isLeader() || status.membership().voters().size() < 2) {
      LOG.info("skipped leadership transfer; local server is not leader or has no other voters", "local-member-id", MemberIds.hex(member.id()));
      return;
    }
    long started = System.nanoTime();
    try {
      boolean moved = member.transferLeadership().get(config.limits().electionMillis() + TRANSFER_MARGIN_MILLIS, TimeUnit.MILLISECONDS);
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
      if (moved) {
        LOG.info("leadership transfer finished", "local-member-id", MemberIds.hex(member.id()), "took-ms", millis);
      } else {
        LOG.warn("leadership transfer failed", "local-member-id", MemberIds.hex(member.id()), "took-ms", millis);
      }
    } catch (TimeoutException | ExecutionException e) {
      LOG.warn("leadership transfer failed", "local-member-id", MemberIds.hex(member.id()), "error", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
