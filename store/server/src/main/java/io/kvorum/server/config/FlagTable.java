package io.kvorum.server.config;

import static io.kvorum.server.config.Flag.Effect.ACTIVE;
import static io.kvorum.server.config.Flag.Effect.NOT_SUPPORTED_YET;
import static io.kvorum.server.config.Flag.Effect.NO_EFFECT;
import static io.kvorum.server.config.Flag.Kind.BOOL;
import static io.kvorum.server.config.Flag.Kind.DURATION;
import static io.kvorum.server.config.Flag.Kind.INT;
import static io.kvorum.server.config.Flag.Kind.STRING;
import static io.kvorum.server.config.Flag.Kind.STRINGS;
import static io.kvorum.server.config.Flag.Kind.UINT;
import static io.kvorum.server.config.Flag.Kind.URLS;
import static io.kvorum.server.config.Flag.Section.AUTH;
import static io.kvorum.server.config.Flag.Section.CLUSTERING;
import static io.kvorum.server.config.Flag.Section.FEATURES;
import static io.kvorum.server.config.Flag.Section.HIDDEN;
import static io.kvorum.server.config.Flag.Section.LOGGING;
import static io.kvorum.server.config.Flag.Section.MEMBER;
import static io.kvorum.server.config.Flag.Section.MONITORING;
import static io.kvorum.server.config.Flag.Section.SECURITY;
import static io.kvorum.server.config.Flag.Section.TRACING;
import static io.kvorum.server.config.Flag.Section.UNSAFE;

import io.kvorum.server.config.Flag.Effect;
import io.kvorum.server.config.Flag.Kind;
import io.kvorum.server.config.Flag.Section;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All flags of etcd 3.6, the only place where they are named with their defaults. */
public final class FlagTable {
  private static final String ROTATION = "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}";

  private final Map<String, Flag> flags = new LinkedHashMap<>();

  private FlagTable() {
    member();
    clustering();
    security();
    operation();
    features();
    deprecated();
  }

  public static FlagTable etcd36() {
    return new FlagTable();
  }

  /** In the order of the help. */
  public Map<String, Flag> all() {
    return Collections.unmodifiableMap(flags);
  }

  public Flag get(String name) {
    return flags.get(name);
  }

  List<Flag> section(Section section) {
    List<Flag> found = new ArrayList<>();
    for (Flag flag : flags.values()) {
      if (flag.section() == section) {
        found.add(flag);
      }
    }
    return found;
  }

  private void add(Section section, String name, Kind kind, String defaultValue, Effect effect, String help) {
    flags.put(name, new Flag(name, kind, defaultValue, section, effect, null, help));
  }

  private void member() {
    add(MEMBER, "name", STRING, "default", ACTIVE, "Human-readable name for this member.");
    add(MEMBER, "data-dir", STRING, "", ACTIVE, "Path to the data directory; '${name}.etcd' when empty.");
    add(MEMBER, "wal-dir", STRING, "", ACTIVE, "Path to the dedicated log directory.");
    add(MEMBER, "snapshot-count", UINT, "10000", ACTIVE, "Number of log entries kept for members that lag.");
    add(MEMBER, "heartbeat-interval", UINT, "100", ACTIVE, "Time (in milliseconds) of a heartbeat interval.");
    add(MEMBER, "election-timeout", UINT, "1000", ACTIVE, "Time (in milliseconds) for an election to timeout.");
    add(MEMBER, "initial-election-tick-advance", BOOL, "true", ACTIVE, "Whether to fast-forward initial election ticks on boot for faster election.");
    add(MEMBER, "listen-peer-urls", URLS, "http://localhost:2380", ACTIVE, "List of URLs to listen on for peer traffic.");
    add(MEMBER, "listen-client-urls", URLS, "http://localhost:2379", ACTIVE,
        "List of URLs to listen on for client gRPC traffic, and HTTP as long as --listen-client-http-urls is not given.");
    add(MEMBER, "listen-client-http-urls", URLS, "", ACTIVE,
        "List of URLs to listen on for HTTP only client traffic. Removes HTTP from --listen-client-urls.");
    add(MEMBER, "max-snapshots", UINT, "5", NO_EFFECT, "Maximum number of snapshot files to retain.");
    add(MEMBER, "max-wals", UINT, "5", ACTIVE, "Maximum number of log files to retain behind a checkpoint (0 is unlimited).");
    add(MEMBER, "memory-mlock", BOOL, "false", NO_EFFECT, "Keep pages of the database in RAM.");
    add(MEMBER, "quota-backend-bytes", INT, "0", ACTIVE, "Database size above which writes are refused (0 is 2 GiB, negative is none).");
    add(MEMBER, "backend-bbolt-freelist-type", STRING, "map", NO_EFFECT, "Freelist type of bbolt.");
    add(MEMBER, "backend-batch-interval", DURATION, "0s", NO_EFFECT, "Maximum time before a commit of bbolt.");
    add(MEMBER, "backend-batch-limit", INT, "0", NO_EFFECT, "Maximum operations before a commit of bbolt.");
    add(MEMBER, "max-txn-ops", UINT, "128", ACTIVE, "Maximum number of operations permitted in a transaction.");
    add(MEMBER, "max-request-bytes", UINT, "1572864", ACTIVE, "Maximum client request size in bytes the server will accept.");
    add(MEMBER, "max-concurrent-streams", Kind.UINT32, "4294967295", ACTIVE, "Maximum concurrent streams that each client can open at a time.");
    add(MEMBER, "enable-grpc-gateway", BOOL, "true", ACTIVE, "Enable the JSON gateway.");
    add(MEMBER, "grpc-keepalive-min-time", DURATION, "5s", ACTIVE, "Minimum interval that a client should wait before pinging the server.");
    add(MEMBER, "grpc-keepalive-interval", DURATION, "2h0m0s", ACTIVE, "Frequency of server-to-client pings (0 to disable).");
    add(MEMBER, "grpc-keepalive-timeout", DURATION, "20s", ACTIVE, "Wait before closing a connection that does not answer pings (0 to disable).");
    add(MEMBER, "socket-reuse-port", BOOL, "false", ACTIVE, "Set SO_REUSEPORT on listeners.");
    add(MEMBER, "socket-reuse-address", BOOL, "false", ACTIVE, "Set SO_REUSEADDR on listeners.");
    add(MEMBER, "raft-read-timeout", DURATION, "5s", NO_EFFECT, "Read timeout on each connection between members.");
    add(MEMBER, "raft-write-timeout", DURATION, "5s", NO_EFFECT, "Write timeout on each connection between members.");
    add(MEMBER, "snapshot-catchup-entries", UINT, "5000", NO_EFFECT, "Entries kept for a slow follower behind a snapshot.");
  }

  private void clustering() {
    add(CLUSTERING, "initial-advertise-peer-urls", URLS, "http://localhost:2380", ACTIVE,
        "List of this member's peer URLs to advertise to the rest of the cluster.");
    add(CLUSTERING, "initial-cluster", STRING, "default=http://localhost:2380", ACTIVE, "Initial cluster configuration for bootstrapping.");
    add(CLUSTERING, "initial-cluster-state", Kind.CLUSTER_STATE, "new", ACTIVE, "'new' when bootstrapping a cluster, 'existing' when joining one.");
    add(CLUSTERING, "initial-cluster-token", STRING, "etcd-cluster", ACTIVE, "Token of the cluster during bootstrap.");
    add(CLUSTERING, "advertise-client-urls", URLS, "http://localhost:2379", ACTIVE, "List of this member's client URLs to advertise to the public.");
    add(CLUSTERING, "discovery", STRING, "", NOT_SUPPORTED_YET, "Discovery URL used to bootstrap the cluster.");
    add(CLUSTERING, "discovery-token", STRING, "", NOT_SUPPORTED_YET, "V3 discovery: token of the cluster to be bootstrapped.");
    add(CLUSTERING, "discovery-endpoints", STRINGS, "", NOT_SUPPORTED_YET, "V3 discovery: endpoints of the discovery service.");
    add(CLUSTERING, "discovery-dial-timeout", DURATION, "2s", NO_EFFECT, "V3 discovery: dial timeout.");
    add(CLUSTERING, "discovery-request-timeout", DURATION, "5s", NO_EFFECT, "V3 discovery: timeout of requests.");
    add(CLUSTERING, "discovery-keepalive-time", DURATION, "2s", NO_EFFECT, "V3 discovery: keepalive time.");
    add(CLUSTERING, "discovery-keepalive-timeout", DURATION, "6s", NO_EFFECT, "V3 discovery: keepalive timeout.");
    add(CLUSTERING, "discovery-insecure-transport", BOOL, "true", NO_EFFECT, "V3 discovery: disable transport security.");
    add(CLUSTERING, "discovery-insecure-skip-tls-verify", BOOL, "false", NO_EFFECT, "V3 discovery: skip verification of certificates.");
    add(CLUSTERING, "discovery-cert", STRING, "", NO_EFFECT, "V3 discovery: certificate file.");
    add(CLUSTERING, "discovery-key", STRING, "", NO_EFFECT, "V3 discovery: key file.");
    add(CLUSTERING, "discovery-cacert", STRING, "", NO_EFFECT, "V3 discovery: CA file.");
    add(CLUSTERING, "discovery-user", STRING, "", NO_EFFECT, "V3 discovery: username[:password].");
    add(CLUSTERING, "discovery-password", STRING, "", NO_EFFECT, "V3 discovery: password.");
    add(CLUSTERING, "discovery-fallback", Kind.FALLBACK, "exit", NO_EFFECT, "Behavior when discovery fails; only 'exit'.");
    add(CLUSTERING, "discovery-proxy", STRING, "", NOT_SUPPORTED_YET, "HTTP proxy for the discovery service.");
    add(CLUSTERING, "discovery-srv", STRING, "", NOT_SUPPORTED_YET, "DNS domain used to bootstrap the cluster.");
    add(CLUSTERING, "discovery-srv-name", STRING, "", NO_EFFECT, "Suffix of the DNS name queried when bootstrapping.");
    add(CLUSTERING, "strict-reconfig-check", BOOL, "true", ACTIVE, "Reject reconfiguration requests that would cause quorum loss.");
    add(CLUSTERING, "pre-vote", BOOL, "true", NO_EFFECT, "Additional election phase; always on.");
    add(CLUSTERING, "auto-compaction-retention", STRING, "0", ACTIVE, "Auto compaction retention length. 0 means disable auto compaction.");
    add(CLUSTERING, "auto-compaction-mode", STRING, "periodic", ACTIVE, "Meaning of the retention: periodic (hours or a duration) or revision.");
    add(CLUSTERING, "max-learners", INT, "1", ACTIVE, "Maximum number of learners in the cluster.");
    add(CLUSTERING, "v2-deprecation", STRING, "write-only", NO_EFFECT, "Phase of v2store deprecation; ignored.");
  }

  private void security() {
    add(SECURITY, "cert-file", STRING, "", ACTIVE, "Path to the client server TLS cert file.");
    add(SECURITY, "key-file", STRING, "", ACTIVE, "Path to the client server TLS key file.");
    add(SECURITY, "client-cert-auth", BOOL, "false", ACTIVE, "Enable client cert authentication.");
    add(SECURITY, "client-cert-file", STRING, "", ACTIVE, "Path to an explicit client cert file of the server.");
    add(SECURITY, "client-key-file", STRING, "", ACTIVE, "Path to an explicit client key file of the server.");
    add(SECURITY, "client-crl-file", STRING, "", ACTIVE, "Path to the client certificate revocation list file.");
    add(SECURITY, "client-cert-allowed-hostname", STRINGS, "", ACTIVE, "Allowed SAN hostnames for client cert authentication.");
    add(SECURITY, "trusted-ca-file", STRING, "", ACTIVE, "Path to the client server TLS trusted CA cert file.");
    add(SECURITY, "auto-tls", BOOL, "false", ACTIVE, "Client TLS using generated certificates.");
    add(SECURITY, "peer-cert-file", STRING, "", ACTIVE, "Path to the peer server TLS cert file.");
    add(SECURITY, "peer-key-file", STRING, "", ACTIVE, "Path to the peer server TLS key file.");
    add(SECURITY, "peer-client-cert-auth", BOOL, "false", ACTIVE, "Enable peer client cert authentication.");
    add(SECURITY, "peer-client-cert-file", STRING, "", ACTIVE, "Path to an explicit peer client cert file.");
    add(SECURITY, "peer-client-key-file", STRING, "", ACTIVE, "Path to an explicit peer client key file.");
    add(SECURITY, "peer-trusted-ca-file", STRING, "", ACTIVE, "Path to the peer server TLS trusted CA file.");
    add(SECURITY, "peer-cert-allowed-cn", STRINGS, "", ACTIVE, "Allowed CNs for inter-peer TLS authentication.");
    add(SECURITY, "peer-cert-allowed-hostname", STRINGS, "", ACTIVE, "Allowed SAN hostnames for inter-peer TLS authentication.");
    add(SECURITY, "peer-auto-tls", BOOL, "false", ACTIVE, "Peer TLS using generated certificates.");
    add(SECURITY, "peer-crl-file", STRING, "", ACTIVE, "Path to the peer certificate revocation list file.");
    add(SECURITY, "peer-skip-client-san-verification", BOOL, "false", ACTIVE, "Skip verification of SAN field for peer connections.");
    add(SECURITY, "self-signed-cert-validity", UINT, "1", ACTIVE, "Years for which generated certificates are valid.");
    add(SECURITY, "cipher-suites", STRINGS, "", ACTIVE, "Supported TLS cipher suites (empty: the runtime's).");
    add(SECURITY, "cors", Kind.ORIGINS, "*", ACTIVE, "Origins allowed by CORS (empty or * means all).");
    add(SECURITY, "host-whitelist", STRINGS, "*", ACTIVE, "Host names accepted in HTTP requests, if the server is not secure (empty or * means all).");
    add(SECURITY, "tls-min-version", STRING, "TLS1.2", ACTIVE, "Minimum TLS version: TLS1.2, TLS1.3.");
    add(SECURITY, "tls-max-version", STRING, "", ACTIVE, "Maximum TLS version: TLS1.2, TLS1.3 (empty: the newest).");
    add(AUTH, "auth-token", STRING, "simple", ACTIVE, "Type of authentication token and its options ('simple' or 'jwt').");
    add(AUTH, "bcrypt-cost", UINT, "10", ACTIVE, "Cost of the bcrypt algorithm for hashing passwords, 4 to 31.");
    add(AUTH, "auth-token-ttl", UINT, "300", ACTIVE, "Time (in seconds) that a token lives.");
  }

  private void operation() {
    add(MONITORING, "enable-pprof", BOOL, "false", NO_EFFECT, "Profiling data of Go.");
    add(MONITORING, "metrics", STRING, "basic", ACTIVE, "Level of detail of metrics: basic or extensive.");
    add(MONITORING, "listen-metrics-urls", URLS, "", ACTIVE, "List of URLs to listen on for the /metrics and /health endpoints.");
    add(LOGGING, "logger", STRING, "zap", ACTIVE, "Only 'zap'.");
    add(LOGGING, "log-outputs", STRINGS, "default", ACTIVE, "'default', 'stderr', 'stdout', 'systemd/journal' or paths, comma-separated.");
    add(LOGGING, "log-level", STRING, "info", ACTIVE, "debug, info, warn, error, panic or fatal.");
    add(LOGGING, "log-format", STRING, "json", ACTIVE, "json or console.");
    add(LOGGING, "enable-log-rotation", BOOL, "false", ACTIVE, "Rotate a single file of log-outputs.");
    add(LOGGING, "log-rotation-config-json", STRING, ROTATION, ACTIVE, "How to rotate.");
    add(LOGGING, "warning-unary-request-duration", DURATION, "300ms", ACTIVE, "Duration of a request after which a warning is logged.");
    add(TRACING, "enable-distributed-tracing", BOOL, "false", NO_EFFECT, "Enable distributed tracing.");
    add(TRACING, "distributed-tracing-address", STRING, "localhost:4317", NO_EFFECT, "Address of the collector.");
    add(TRACING, "distributed-tracing-service-name", STRING, "etcd", NO_EFFECT, "Name of the service.");
    add(TRACING, "distributed-tracing-instance-id", STRING, "", NO_EFFECT, "Identity of the instance.");
    add(TRACING, "distributed-tracing-sampling-rate", INT, "0", NO_EFFECT, "Samples per million spans.");
  }

  private void features() {
    add(FEATURES, "feature-gates", Kind.GATES, "", ACTIVE, "Comma-separated Name=true|false of features.");
    add(FEATURES, "corrupt-check-time", DURATION, "0s", ACTIVE, "Time between comparisons of contents between members.");
    add(FEATURES, "compact-hash-check-time", DURATION, "1m0s", ACTIVE, "Time between comparisons of hashes of compactions.");
    add(FEATURES, "compaction-batch-limit", INT, "1000", NO_EFFECT, "Revisions deleted in each compaction batch.");
    add(FEATURES, "compaction-sleep-interval", DURATION, "10ms", NO_EFFECT, "Sleep between compaction batches.");
    add(FEATURES, "watch-progress-notify-interval", DURATION, "10m0s", ACTIVE, "Time between progress notifications of watches.");
    add(FEATURES, "warning-apply-duration", DURATION, "100ms", ACTIVE, "Duration of an apply after which a warning is logged.");
    add(FEATURES, "downgrade-check-time", DURATION, "5s", NO_EFFECT, "Time between checks of the downgrade state.");
    add(FEATURES, "bootstrap-defrag-threshold-megabytes", UINT, "0", NO_EFFECT, "Free space that makes the start defragment.");
    add(UNSAFE, "force-new-cluster", BOOL, "false", ACTIVE, "Make this member the only one of its cluster.");
    add(UNSAFE, "force-new-cluster-token", STRING, "", ACTIVE, "With force-new-cluster: token that gives the new cluster an id of its own.");
    add(UNSAFE, "unsafe-no-fsync", BOOL, "false", NO_EFFECT, "Disables fsync; here it never is.");
    add(HIDDEN, "config-file", STRING, "", ACTIVE, "Path to the configuration file; all other flags and environment variables are then ignored.");
    add(HIDDEN, "version", BOOL, "false", ACTIVE, "Print the version and exit.");
    for (String name : List.of(
        "cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force", "max-result-buffer", "max-retry-attempts",
        "peer-heartbeat-interval", "peer-election-timeout", "retry-interval", "snapshot", "v", "vv", "test.coverprofile", "test.outputdir")) {
      add(HIDDEN, name, Kind.IGNORED, "", NO_EFFECT, "Of an old release; ignored.");
    }
  }

  private void deprecated() {
    for (String name : List.of(
        "compact-hash-check-time", "corrupt-check-time", "compaction-batch-limit", "compaction-sleep-interval", "watch-progress-notify-interval",
        "warning-apply-duration", "warning-unary-request-duration", "bootstrap-defrag-threshold-megabytes", "memory-mlock", "snapshot-catchup-entries",
        "downgrade-check-time", "peer-skip-client-san-verification", "enable-distributed-tracing", "distributed-tracing-address",
        "distributed-tracing-service-name", "distributed-tracing-instance-id", "distributed-tracing-sampling-rate")) {
      Flag now = flags.get(name);
      String old = "experimental-" + name;
      flags.put(old, new Flag(old, now.kind(), now.defaultValue(), HIDDEN, now.effect(), name, "Deprecated name of --" + name + "."));
    }
    Map<String, String> gates = Map.of(
        "experimental-initial-corrupt-check", "InitialCorruptCheck",
        "experimental-compact-hash-check-enabled", "CompactHashCheck",
        "experimental-enable-lease-checkpoint", "LeaseCheckpoint",
        "experimental-enable-lease-checkpoint-persist", "LeaseCheckpointPersist",
        "experimental-txn-mode-write-with-shared-buffer", "TxnModeWriteWithSharedBuffer",
        "experimental-stop-grpc-service-on-defrag", "StopGRPCServiceOnDefrag");
    gates.forEach(
        (old, gate) ->
            flags.put(old, new Flag(old, BOOL, String.valueOf(FeatureGates.DEFAULTS.get(gate)), HIDDEN, ACTIVE, gate, "Deprecated form of a feature gate.")));
  }
}
