package io.kvorum.operator.desired;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.plan.Action.StartMode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The configuration of one member: what the specification asks for, at the place where the member runs. */
public final class MemberConfig {

  /** Options that a running member takes over from its file on Admin.Reload; the value of any other waits for a restart. */
  public static final Set<String> RELOADABLE =
      Set.of(
          "auto-compaction-mode", "auto-compaction-retention", "compact-hash-check-time", "corrupt-check-time", "log-level", "max-learners",
          "max-txn-ops", "quota-backend-bytes");

  /** Options that the operator alone sets; a specification that names one is not accepted. */
  public static final Set<String> RESERVED =
      Set.of(
          "name", "data-dir", "wal-dir", "config-file", "listen-client-urls", "listen-client-http-urls", "advertise-client-urls", "listen-peer-urls",
          "initial-advertise-peer-urls", "initial-cluster", "initial-cluster-state", "initial-cluster-token", "listen-metrics-urls", "discovery",
          "discovery-srv", "force-new-cluster", "force-new-cluster-token", "cert-file", "key-file", "trusted-ca-file", "client-cert-auth", "client-crl-file",
          "auto-tls", "peer-cert-file", "peer-key-file", "peer-trusted-ca-file", "peer-client-cert-auth", "peer-crl-file", "peer-auto-tls",
          "quota-backend-bytes", "auto-compaction-mode", "auto-compaction-retention", "heartbeat-interval", "election-timeout");

  private MemberConfig() {}

  /**
   * Where a member runs.
   *
   * @param clientListen URL to listen on for clients
   * @param clientUrl URL that clients are told
   * @param peerListen URL to listen on for other members
   * @param peerUrl URL that other members are told
   * @param metricsListen URL for health and metrics in plain text, empty for none
   * @param dataDirectory of the member
   * @param tlsDirectory holds client/ and peer/ with ca.crt, tls.crt and tls.key
   */
  public record Place(
      String name, String clientListen, String clientUrl, String peerListen, String peerUrl, String metricsListen, String dataDirectory, String tlsDirectory) {}

  /**
   * How a member begins.
   *
   * @param clusterToken token of the cluster
   * @param initialPeers the members it begins with, as NAME=URL, its own included
   */
  public record Beginning(StartMode mode, String clusterToken, List<String> initialPeers) {
    public Beginning {
      initialPeers = List.copyOf(initialPeers);
    }
  }

  /** All options of a member. */
  public static ServerOptions options(KvorumClusterSpec spec, Place place, Beginning beginning) {
    SortedMap<String, String> values = new TreeMap<>(common(spec));
    values.put("name", place.name());
    values.put("data-dir", place.dataDirectory());
    values.put("listen-client-urls", place.clientListen());
    values.put("advertise-client-urls", place.clientUrl());
    values.put("listen-peer-urls", place.peerListen());
    values.put("initial-advertise-peer-urls", place.peerUrl());
    values.put("listen-metrics-urls", place.metricsListen());
    values.put("initial-cluster", String.join(",", beginning.initialPeers()));
    values.put("initial-cluster-token", beginning.clusterToken());
    values.put("initial-cluster-state", beginning.mode() == StartMode.EXISTING ? "existing" : "new");
    if (beginning.mode() == StartMode.FORCE_NEW_CLUSTER) {
      values.put("force-new-cluster", "true");
      values.put("force-new-cluster-token", beginning.clusterToken());
    }
    tls(values, spec.tls().client(), "", place.tlsDirectory() + "/client", spec.tls().client().clientAuth() == TlsSpec.ClientAuth.REQUIRED);
    tls(values, spec.tls().peer(), "peer-", place.tlsDirectory() + "/peer", true);
    return new ServerOptions(values);
  }

  /** The part of the options that all members share and that only a restart changes: what of them a pod template's hash covers. */
  public static String restartHash(KvorumClusterSpec spec) {
    SortedMap<String, String> values = new TreeMap<>(common(spec));
    values.keySet().removeAll(RELOADABLE);
    values.put("tls", spec.tls().client().on() + "," + spec.tls().client().clientAuth() + "," + spec.tls().peer().on());
    return new ServerOptions(values).hash();
  }

  /** The hash that stands for "runs with the options that the specification asks for", whatever the member. */
  public static String sharedHash(KvorumClusterSpec spec) {
    return new ServerOptions(new TreeMap<>(common(spec))).hash();
  }

  private static Map<String, String> common(KvorumClusterSpec spec) {
    Map<String, String> values = spec.config().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    if (spec.quotaBytes() != null) {
      values.put("quota-backend-bytes", Long.toString(spec.quotaBytes()));
    }
    if (spec.autoCompaction() != null) {
      values.put("auto-compaction-mode", spec.autoCompaction().mode().name().toLowerCase(Locale.ROOT));
      values.put("auto-compaction-retention", spec.autoCompaction().retention());
    }
    millis(values, "heartbeat-interval", spec.heartbeatInterval());
    millis(values, "election-timeout", spec.electionTimeout());
    return values;
  }

  private static void millis(Map<String, String> values, String name, String duration) {
    if (duration != null && !duration.isEmpty()) {
      values.put(name, Long.toString(Api.duration(duration).toMillis()));
    }
  }

  private static void tls(Map<String, String> values, TlsSpec.Plane plane, String prefix, String directory, boolean clientAuth) {
    if (plane.on()) {
      values.put(prefix + "cert-file", directory + "/tls.crt");
      values.put(prefix + "key-file", directory + "/tls.key");
      if (clientAuth) {
        // An authority to trust alone would already make the server ask every client for a certificate.
        values.put(prefix + "trusted-ca-file", directory + "/ca.crt");
        values.put(prefix + "client-cert-auth", "true");
      }
    }
  }
}
