package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.config.ServerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Configurations of members that a test runs in its own process, as the command line gives them. */
final class MemberFlags {
  private MemberFlags() {}

  /**
   * @param cluster value of initial-cluster
   * @param more flags; those that are here already are taken from there
   */
  static ServerConfig config(String name, Path directory, String clientUrl, String peerUrl, String cluster, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--name=" + name, "--data-dir=" + directory, "--listen-client-urls=" + clientUrl, "--advertise-client-urls=" + clientUrl,
                "--listen-peer-urls=" + peerUrl, "--initial-advertise-peer-urls=" + peerUrl, "--initial-cluster=" + cluster));
    arguments.addAll(List.of(more));
    Parsed parsed = new ConfigParser(FlagTable.etcd36(), Files::readString).parse(arguments, Map.of());
    assertThat(parsed).isInstanceOf(Parsed.Serve.class);
    return ((Parsed.Serve) parsed).config();
  }
}
