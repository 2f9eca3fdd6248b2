package io.kvorum.server.config;

import io.kvorum.server.base.Limits;
import io.kvorum.server.logging.LogSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * All that a server is told by its user, checked.
 *
 * @param name this member's name
 * @param dataDir where everything is kept
 * @param walDir where the log is kept, null for inside of dataDir
 * @param listen the ports
 * @param cluster who the members are and how the cluster begins
 * @param limits bounds of requests
 * @param grpc bounds of connections
 * @param http rules of the HTTP endpoints
 * @param security TLS
 * @param maintenance periodic work
 * @param auth tokens and passwords
 * @param featureGates etcd's features by name
 * @param log how to log
 * @param options what was given
 */
public record ServerConfig(
    String name,
    Path dataDir,
    Path walDir,
    Listen listen,
    Cluster cluster,
    Limits limits,
    Grpc grpc,
    Http http,
    Security security,
    Maintenance maintenance,
    Auth auth,
    Map<String, Boolean> featureGates,
    LogSettings log,
    Options options) {
  /**
   * URLs to listen on.
   *
   * @param clientHttpUrls when not empty, HTTP is served here and clientUrls serve gRPC alone
   */
  public record Listen(
      List<String> peerUrls, List<String> clientUrls, List<String> clientHttpUrls, List<String> metricsUrls, boolean reusePort, boolean reuseAddress) {}

  /**
   * @param initial peer URLs of each member by name, as the cluster begins
   * @param existing join a running cluster instead of making a new one
   * @param forceNew drop all other members
   * @param forceNewToken with {@code forceNew}: gives the cluster a new id, so that none of the dropped members is ever taken for one of it; empty keeps the id
   */
  public record Cluster(
      List<String> advertisePeerUrls,
      List<String> advertiseClientUrls,
      SortedMap<String, List<String>> initial,
      boolean existing,
      String token,
      boolean strictReconfigCheck,
      int maxLearners,
      boolean forceNew,
      String forceNewToken,
      boolean electionTickAdvance) {}

  /**
   * @param maxConcurrentStreams for one connection
   * @param keepAliveMinTime clients that ping more often are sent away
   * @param keepAliveInterval pings of the server, zero for none
   * @param keepAliveTimeout how long it waits for their answer
   */
  public record Grpc(long maxConcurrentStreams, Duration keepAliveMinTime, Duration keepAliveInterval, Duration keepAliveTimeout) {}

  /**
   * @param cors allowed origins, {@code *} for all
   * @param hostWhitelist allowed host names, {@code *} for all
   * @param gateway whether the JSON gateway is wanted
   * @param extensiveMetrics histograms of calls as well
   */
  public record Http(List<String> cors, List<String> hostWhitelist, boolean gateway, boolean extensiveMetrics) {}

  /**
   * TLS of both sides; used for URLs with https alone.
   *
   * @param client of the ports for clients and for metrics
   * @param peer of the peer port, and of connections to other members
   */
  public record Security(TlsSettings client, TlsSettings peer) {}

  /**
   * @param keepEntries log entries kept for members that lag
   * @param maxLogFiles log files kept behind a checkpoint, 0 for no bound
   * @param autoCompactionRevisions whether the retention counts revisions, else it is a time
   * @param autoCompactionRetention 0 for none; revisions, or nanoseconds
   * @param configuredQuotaBytes as given: 0 is the default quota, negative none
   */
  public record Maintenance(
      long keepEntries,
      int maxLogFiles,
      boolean autoCompactionRevisions,
      long autoCompactionRetention,
      long configuredQuotaBytes,
      Duration corruptCheckTime,
      Duration compactHashCheckTime,
      Duration warningApplyDuration,
      Duration warningUnaryRequestDuration) {}

  /**
   * @param token --auth-token
   * @param tokenTtlSeconds of simple tokens
   * @param bcryptCost 4 to 31
   * @param clientCertificates whether clients show certificates that are verified; then the name in one is a user
   */
  public record Auth(String token, long tokenTtlSeconds, int bcryptCost, boolean clientCertificates) {}
}
