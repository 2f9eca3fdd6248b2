package io.kvorum.server.config;

import io.kvorum.server.base.Limits;
import io.kvorum.server.config.Flag.Effect;
import io.kvorum.server.config.Parsed.Notice;
import io.kvorum.server.logging.LogSettings;
import io.kvorum.server.logging.Rotation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.logging.Level;

/** The checks between flags, in etcd's order and words, and the making of the configuration. */
final class Checks {
  private static final String DEFAULT_NAME = "default";
  private static final String ANY_ADDRESS = "0.0.0.0";
  private static final long MAX_ELECTION_MILLIS = 50_000;
  private static final long DEFAULT_QUOTA_BYTES = 2L << 30;
  private static final long RECOMMENDED_REQUEST_BYTES = 10L << 20;
  private static final int DEFAULT_BCRYPT_COST = 10;
  private static final int MIN_BCRYPT_COST = 4;
  private static final int MAX_BCRYPT_COST = 31;
  private static final int SAMPLES_MAX = 1_000_000;

  private final FlagTable table;
  private final FlagValues values;
  private final List<Notice> notices;

  Checks(FlagTable table, FlagValues values, List<Notice> notices) {
    this.table = table;
    this.values = values;
    this.notices = notices;
  }

  /** How to log; needed before anything else can be refused in the right form. */
  static LogSettings log(FlagValues values) throws ConfigException {
    if (!values.text("logger").equals("zap")) {
      throw new ConfigException("unknown logger option " + GoSyntax.quote(values.text("logger")));
    }
    String format = values.text("log-format");
    if (!format.equals("json") && !format.equals("console")) {
      throw new ConfigException("unknown log format: " + format + ", supported values json, console");
    }
    Level level = LogSettings.level(values.text("log-level"));
    if (level == null) {
      throw new ConfigException("unrecognized level: " + GoSyntax.quote(values.text("log-level")));
    }
    List<String> outputs = values.strings("log-outputs");
    if (outputs.contains("default") && outputs.size() > 1) {
      throw new ConfigException("multi logoutput for \"default\" is not supported yet");
    }
    Rotation rotation = values.bool("enable-log-rotation") ? LogRotation.parse(outputs, values.text("log-rotation-config-json")) : null;
    return new LogSettings(level, format.equals("json"), outputs.isEmpty() ? List.of("stderr") : outputs, rotation);
  }

  ServerConfig config(LogSettings log) throws ConfigException {
    twins();
    notSupported();
    ServerConfig.Listen listen = listen();
    List<String> advertisePeer = advertise("initial-advertise-peer-urls", "listen-peer-urls", listen.peerUrls());
    boolean missingAdvertise = values.isGiven("listen-client-urls") && !values.isGiven("advertise-client-urls");
    List<String> advertiseClient = missingAdvertise ? List.of() : advertise("advertise-client-urls", "listen-client-urls", listen.clientUrls());
    advertisable("initial-advertise-peer-urls", advertisePeer);
    advertisable("advertise-client-urls", advertiseClient);
    timing();
    if (missingAdvertise || advertiseClient.isEmpty()) {
      throw new ConfigException("--advertise-client-urls is required when --listen-client-urls is set explicitly");
    }
    ServerConfig.Maintenance maintenance = maintenance();
    choices();
    TlsChecks tls = new TlsChecks(values, notices);
    tls.versions();
    ServerConfig.Security security = new ServerConfig.Security(tls.client(listen), tls.peer(listen));
    String name = values.text("name");
    if (name.equals(DEFAULT_NAME)) {
      notices.add(
          Notice.warn(
              "it isn't recommended to use default name, please set a value for --name. Note that etcd might run into issue when multiple members have the same"
                  + " default name",
              "name", name));
    }
    deprecations();
    return new ServerConfig(
        name, dataDir(name), values.text("wal-dir").isEmpty() ? null : Path.of(values.text("wal-dir")), listen,
        cluster(name, advertisePeer, advertiseClient), limits(),
        new ServerConfig.Grpc(
            values.number("max-concurrent-streams"), values.duration("grpc-keepalive-min-time"),
            values.duration("grpc-keepalive-interval"), values.duration("grpc-keepalive-timeout")),
        http(), security, maintenance, auth(), Map.copyOf(values.gates()), log, Options.of(table, values));
  }

  /** A deprecated name and its replacement must not both be given. */
  private void twins() throws ConfigException {
    for (Flag flag : table.all().values()) {
      if (flag.replacement() == null || !values.isGiven(flag.name())) {
        continue;
      }
      String now = flag.replacement();
      if (!flag.isGate() && values.isGiven(now)) {
        throw new ConfigException("cannot set --" + flag.name() + " and --" + now + " at the same time, please use --" + now + " only");
      }
      if (flag.isGate() && values.text("feature-gates").contains(now)) {
        boolean on = FeatureGates.parse(values.text("feature-gates")).getOrDefault(now, FeatureGates.DEFAULTS.get(now));
        String gate = "--feature-gates=" + now + "=" + on;
        throw new ConfigException(
            "cannot specify both flags: --" + flag.name() + "=" + values.bool(flag.name()) + " and " + gate + " at the same time, please just use " + gate);
      }
    }
  }

  /** What this version cannot do must never look as if it were done. */
  private void notSupported() throws ConfigException {
    for (String name : values.names()) {
      Flag flag = table.get(name);
      if (flag.effect() == Effect.NOT_SUPPORTED_YET && !values.text(name).equals(flag.defaultValue())) {
        throw new ConfigException("--" + name + " is not supported yet: this version serves without discovery services");
      }
    }
    if (values.text("discovery-fallback").equals("proxy")) {
      throw new ConfigException("v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"");
    }
  }

  private ServerConfig.Listen listen() throws ConfigException {
    List<String> clientHttp = bindable("listen-client-http-urls");
    ServerConfig.Listen listen =
        new ServerConfig.Listen(
            bindable("listen-peer-urls"), bindable("listen-client-urls"), clientHttp, bindable("listen-metrics-urls"),
            values.bool("socket-reuse-port"), values.bool("socket-reuse-address"));
    if (listen.peerUrls().isEmpty() || listen.clientUrls().isEmpty()) {
      throw new ConfigException("no valid URLs given: --listen-peer-urls and --listen-client-urls must not be empty");
    }
    return listen;
  }

  private List<String> bindable(String flag) throws ConfigException {
    List<String> urls = values.urls(flag);
    for (String url : urls) {
      if (Urls.isUnix(url)) {
        if (flag.equals("listen-peer-urls")) {
          throw new ConfigException("--" + flag + " " + url + ": members do not talk over unix sockets");
        }
        continue;
      }
      if (!Urls.host(url).equals("localhost") && !Urls.isIp(Urls.host(url))) {
        throw new ConfigException("expected IP in URL for binding (" + url + ")");
      }
      if (Urls.port(url) < 0) {
        throw new ConfigException("address " + url + ": invalid port");
      }
    }
    return urls;
  }

  /** The advertised URLs; the default follows a listener on all addresses, with this machine's name. */
  private List<String> advertise(String flag, String listenFlag, List<String> listen) {
    List<String> urls = values.urls(flag);
    boolean isDefault = !values.isGiven(flag) && urls.size() == 1;
    String first = listen.getFirst();
    if (isDefault && values.isGiven(listenFlag) && Urls.host(first).equals(ANY_ADDRESS)) {
      return List.of("http://" + hostAddress() + ":" + Urls.port(first));
    }
    return urls;
  }

  private static String hostAddress() {
    try {
      return java.net.InetAddress.getLocalHost().getHostAddress();
    } catch (java.net.UnknownHostException e) {
      return "localhost";
    }
  }

  private static void advertisable(String flag, List<String> urls) throws ConfigException {
    for (String url : urls) {
      if (Urls.isUnix(url) || Urls.host(url).isEmpty()) {
        String list = GoSyntax.quote(String.join(",", urls));
        throw new ConfigException("--" + flag + " " + list + " must be \"host:port\" (unexpected empty host (" + url + "))");
      }
    }
  }

  private void timing() throws ConfigException {
    long heartbeat = values.number("heartbeat-interval");
    long election = values.number("election-timeout");
    if (heartbeat == 0) {
      throw new ConfigException("--heartbeat-interval must be >0 (set to 0ms)");
    }
    if (election == 0) {
      throw new ConfigException("--election-timeout must be >0 (set to 0ms)");
    }
    if (heartbeat > election / 5) {
      throw new ConfigException("--election-timeout[" + election + "ms] should be at least as 5 times as --heartbeat-interval[" + heartbeat + "ms]");
    }
    if (election > MAX_ELECTION_MILLIS) {
      throw new ConfigException("--election-timeout[" + election + "ms] is too long, and should be set less than " + MAX_ELECTION_MILLIS + "ms");
    }
  }

  private ServerConfig.Maintenance maintenance() throws ConfigException {
    String mode = values.text("auto-compaction-mode");
    if (mode.isEmpty()) {
      throw new ConfigException("undefined auto-compaction-mode");
    }
    if (!mode.equals("periodic") && !mode.equals("revision")) {
      throw new ConfigException("unknown auto-compaction-mode " + GoSyntax.quote(mode));
    }
    if (values.duration("compact-hash-check-time").compareTo(Duration.ZERO) <= 0) {
      throw new ConfigException("--compact-hash-check-time must be >0 (set to " + GoSyntax.text(values.duration("compact-hash-check-time")) + ")");
    }
    Map<String, Boolean> gates = values.gates();
    if (gates.get("LeaseCheckpointPersist") && !gates.get("LeaseCheckpoint")) {
      throw new ConfigException("enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint");
    }
    return new ServerConfig.Maintenance(
        values.number("snapshot-count"), values.intNumber("max-wals"), mode.equals("revision"), retention(mode), values.number("quota-backend-bytes"),
        values.duration("corrupt-check-time"), values.duration("compact-hash-check-time"),
        values.duration("warning-apply-duration"), values.duration("warning-unary-request-duration"));
  }

  /** A bare number is revisions, or hours; else a duration, in nanoseconds. */
  private long retention(String mode) throws ConfigException {
    String text = values.text("auto-compaction-retention");
    try {
      long number = Long.parseLong(text);
      return mode.equals("revision") ? number : Duration.ofHours(number).toNanos();
    } catch (NumberFormatException notANumber) {
      try {
        long nanos = GoSyntax.duration(text).toNanos();
        // As in etcd, a duration in revision mode counts as its number of nanoseconds.
        return nanos;
      } catch (IllegalArgumentException e) {
        throw new ConfigException("error parsing CompactionRetention: time: invalid duration " + GoSyntax.quote(text));
      }
    } catch (ArithmeticException e) {
      throw new ConfigException("error parsing CompactionRetention: value out of range");
    }
  }

  private void choices() throws ConfigException {
    if (values.bool("enable-distributed-tracing") && values.number("distributed-tracing-sampling-rate") > SAMPLES_MAX) {
      throw new ConfigException("distributed tracing configurition is not valid: (tracing sampling rate must be less than " + SAMPLES_MAX + ")");
    }
    String metrics = values.text("metrics");
    if (!metrics.equals("basic") && !metrics.equals("extensive")) {
      notices.add(Notice.warn("unknown --metrics, taken as basic", "metrics", metrics));
    }
    String token = values.text("auth-token");
    if (!token.isEmpty() && !token.equals("simple") && !token.equals("jwt") && !token.startsWith("jwt,")) {
      throw new ConfigException("auth: invalid auth options");
    }
    long cost = values.number("bcrypt-cost");
    if (isNoBcryptCost(cost)) {
      notices.add(Notice.warn("use default bcrypt cost instead of the invalid given cost", "min-cost", MIN_BCRYPT_COST, "max-cost", MAX_BCRYPT_COST, "given-cost", cost));
    }
    if (values.number("max-request-bytes") > RECOMMENDED_REQUEST_BYTES) {
      notices.add(
          Notice.warn(
              "exceeded recommended request limit", "max-request-bytes", values.number("max-request-bytes"),
              "recommended-request-bytes", RECOMMENDED_REQUEST_BYTES));
    }
  }

  private static boolean isNoBcryptCost(long cost) {
    return cost < MIN_BCRYPT_COST || cost > MAX_BCRYPT_COST;
  }

  private ServerConfig.Auth auth() {
    long cost = values.number("bcrypt-cost");
    return new ServerConfig.Auth(
        values.text("auth-token"), values.number("auth-token-ttl"), isNoBcryptCost(cost) ? DEFAULT_BCRYPT_COST : (int) cost, values.bool("client-cert-auth"));
  }

  private void deprecations() {
    for (String name : values.names()) {
      Flag flag = table.get(name);
      if (flag.replacement() != null) {
        String now = flag.isGate() ? "--feature-gates=" + flag.replacement() + "=true" : "--" + flag.replacement();
        notices.add(Notice.warn("--" + name + " is deprecated in 3.6 and will be decommissioned in 3.7. Use '" + now + "' instead."));
      }
    }
  }

  private Path dataDir(String name) {
    String dir = values.text("data-dir");
    if (!dir.isEmpty()) {
      return Path.of(dir);
    }
    notices.add(Notice.warn("'data-dir' was empty; using default", "data-dir", name + ".etcd"));
    return Path.of(name + ".etcd");
  }

  private ServerConfig.Cluster cluster(String name, List<String> advertisePeer, List<String> advertiseClient) throws ConfigException {
    String text = values.text("initial-cluster");
    String defaultText = table.get("initial-cluster").defaultValue();
    if (text.equals(defaultText) && !name.equals(DEFAULT_NAME)) {
      StringBuilder own = new StringBuilder();
      advertisePeer.forEach(url -> own.append(own.isEmpty() ? "" : ",").append(name).append('=').append(url));
      text = own.toString();
    }
    SortedMap<String, List<String>> initial;
    try {
      initial = Urls.cluster(text);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("error setting up initial cluster: " + e.getMessage());
    }
    Set<String> seen = new HashSet<>();
    for (List<String> urls : initial.values()) {
      for (String url : urls) {
        if (!seen.add(url)) {
          throw new ConfigException("initial cluster " + text + " has duplicate url");
        }
      }
    }
    int learners = Math.max(1, values.intNumber("max-learners"));
    return new ServerConfig.Cluster(
        advertisePeer, advertiseClient, initial, values.text("initial-cluster-state").equals("existing"), values.text("initial-cluster-token"),
        values.bool("strict-reconfig-check"), learners, values.bool("force-new-cluster"), values.text("force-new-cluster-token"),
        values.bool("initial-election-tick-advance"));
  }

  private Limits limits() {
    long quota = values.number("quota-backend-bytes");
    return new Limits(
        values.intNumber("max-request-bytes"), values.intNumber("max-txn-ops"), values.intNumber("heartbeat-interval"),
        values.intNumber("election-timeout"), quota == 0 ? DEFAULT_QUOTA_BYTES : quota, values.duration("watch-progress-notify-interval").toMillis());
  }

  private ServerConfig.Http http() {
    String cors = values.text("cors");
    List<String> origins = cors.isEmpty() || cors.equals("*") ? List.of("*") : Urls.parse(cors);
    List<String> hosts = new ArrayList<>(values.strings("host-whitelist"));
    return new ServerConfig.Http(
        origins, hosts.isEmpty() ? List.of("*") : hosts, values.bool("enable-grpc-gateway"), values.text("metrics").equals("extensive"));
  }
}
