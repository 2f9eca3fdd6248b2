package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.TlsSpec;
import java.util.Map;
import java.util.TreeMap;

/** The configuration of a member that runs in a pod. */
public final class PodConfig {
  /** Port of clients. */
  public static final int CLIENT_PORT = 2379;

  /** Port of the other members. */
  public static final int PEER_PORT = 2380;

  /** Port of metrics and health, never encrypted. */
  public static final int METRICS_PORT = 2381;

  /** Name of the file in the ConfigMap. */
  public static final String FILE = "kvorum.yaml";

  /** Where the volume is mounted. */
  public static final String DATA_MOUNT = "/var/lib/kvorum";

  /** The data directory; a volume's root may hold what is not ours. */
  public static final String DATA_DIRECTORY = DATA_MOUNT + "/data";

  static final String CONFIG_MOUNT = "/etc/kvorum/config";
  static final String TLS_MOUNT = "/etc/kvorum/tls";
  private static final String ANY = "://0.0.0.0:";

  private PodConfig() {}

  /** URL of a member for clients inside the Kubernetes cluster. */
  public static String clientUrl(KvorumCluster cluster, String member) {
    return scheme(cluster.getSpec().tls().client()) + "://" + host(cluster, member) + ":" + CLIENT_PORT;
  }

  /** URL of the voters that serve, for clients inside the Kubernetes cluster. */
  public static String serviceUrl(KvorumCluster cluster) {
    String host = Names.clientService(cluster.getMetadata().getName()) + "." + cluster.getMetadata().getNamespace() + ".svc";
    return scheme(cluster.getSpec().tls().client()) + "://" + host + ":" + CLIENT_PORT;
  }

  /** URL of a member for the other members. */
  public static String peerUrl(KvorumCluster cluster, String member) {
    return scheme(cluster.getSpec().tls().peer()) + "://" + host(cluster, member) + ":" + PEER_PORT;
  }

  private static String host(KvorumCluster cluster, String member) {
    return Names.host(member, cluster.getMetadata().getName(), cluster.getMetadata().getNamespace());
  }

  private static String scheme(TlsSpec.Plane plane) {
    return plane.on() ? "https" : "http";
  }

  /** All options of one member. */
  public static ServerOptions options(KvorumCluster cluster, KvorumMemberSpec member, MemberConfig.Beginning beginning) {
    TlsSpec tls = cluster.getSpec().tls();
    String name = member.memberName();
    MemberConfig.Place place =
        new MemberConfig.Place(
            name, scheme(tls.client()) + ANY + CLIENT_PORT, clientUrl(cluster, name), scheme(tls.peer()) + ANY + PEER_PORT, peerUrl(cluster, name),
            "http" + ANY + METRICS_PORT, DATA_DIRECTORY, TLS_MOUNT);
    ServerOptions options = MemberConfig.options(cluster.getSpec(), place, beginning);
    if (!tls.peer().on()) {
      return options;
    }
    // Names of a pod that has just been made are not in the DNS yet, and the authority signs this cluster's members alone.
    TreeMap<String, String> values = new TreeMap<>(options.values());
    values.put("peer-skip-client-san-verification", "true");
    return new ServerOptions(values);
  }

  /** The ConfigMap that the member's pod mounts. */
  public static ConfigMap configMap(KvorumCluster cluster, KvorumMemberSpec member, MemberConfig.Beginning beginning) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(Names.config(member.memberName()))
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(Names.labels(member.clusterName(), member.memberName()))
        .endMetadata()
        .withData(Map.of(FILE, options(cluster, member, beginning).file()))
        .build();
  }
}
