package io.kvorum.server.process;

import io.kvorum.server.cluster.Bootstrap;
import io.kvorum.server.cluster.BootstrapException;
import io.kvorum.server.cluster.ClusterFlags;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.config.ServerConfig;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Who a member is whose data directory is made: the options of {@code etcdutl snapshot restore}, read and checked as the server does. */
final class NewMemberOptions {
  @Option(names = "--name", defaultValue = "default", description = "this member's name (default: ${DEFAULT-VALUE})")
  private String name;

  @Option(names = "--data-dir", description = "made anew (default: NAME.etcd)")
  private String dataDir;

  @Option(names = "--initial-cluster", description = "all members of the new cluster: NAME=PEERURL,... (default: this one alone)")
  private String initialCluster;

  @Option(names = "--initial-cluster-token", description = "tells this cluster from others with the same URLs (default: etcd-cluster)")
  private String token;

  @Option(names = "--initial-advertise-peer-urls", description = "this member's peer URLs (default: http://localhost:2380)")
  private String peerUrls;

  /** @throws IllegalArgumentException with the server's refusal */
  ServerConfig config() {
    List<String> flags = new ArrayList<>();
    flags.add("--name=" + name);
    add(flags, "--data-dir", dataDir);
    add(flags, "--initial-cluster", initialCluster);
    add(flags, "--initial-cluster-token", token);
    add(flags, "--initial-advertise-peer-urls", peerUrls);
    return switch (new ConfigParser(FlagTable.etcd36(), Files::readString).parse(flags, Map.of())) {
      case Parsed.Serve serve -> serve.config();
      case Parsed.Refused refused -> throw new IllegalArgumentException(refused.reason());
      case Parsed.Print print -> throw new IllegalArgumentException(print.err().strip());
    };
  }

  private static void add(List<String> flags, String flag, String value) {
    if (value != null) {
      flags.add(flag + "=" + value);
    }
  }

  /** The identities of a cluster that is founded so. */
  static Genesis genesis(ServerConfig config) throws BootstrapException {
    ServerConfig.Cluster cluster = config.cluster();
    ClusterFlags flags = new ClusterFlags(config.name(), cluster.advertisePeerUrls(), cluster.initial(), cluster.token(), false);
    return new Bootstrap(flags, (urls, millis) -> Optional.empty(), PeerUrls.Resolver.SYSTEM).run();
  }
}
