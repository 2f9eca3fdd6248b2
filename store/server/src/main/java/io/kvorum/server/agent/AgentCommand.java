package io.kvorum.server.agent;

import io.kvorum.server.logging.LogSettings;
import io.kvorum.server.logging.Logging;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code kvorum agent}: serves until it is told to stop. */
@Command(
    name = "agent",
    sortOptions = false,
    description = {
      "The store on this pod's own loopback: calls go on to the cluster with the agent's credentials.",
      "`agent deregister` takes the pod's registration away and leaves the agent serving.",
      "Each option may also come from the environment: --dial-timeout as KVORUM_AGENT_DIAL_TIMEOUT."
    })
public final class AgentCommand implements Callable<Integer> {
  @Mixin private UpstreamOptions upstream;

  @Mixin private LocalOptions local;

  @Mixin private MirrorOptions mirror;

  @Mixin private RegistrationOptions registration;

  @Mixin private DnsOptions dns;

  @Option(names = "--log-level", paramLabel = "LEVEL", defaultValue = "info", description = "debug, info, warn or error (default: ${DEFAULT-VALUE})")
  private String logLevel;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
  private boolean help;

  private final Map<String, String> environment;
  private final CompletableFuture<String> stop;

  private AgentCommand(Map<String, String> environment, CompletableFuture<String> stop) {
    this.environment = environment;
    this.stop = stop;
  }

  /**
   * The command with its defaults.
   *
   * @param environment where options come from that are not given
   * @param stop completed, with the words of the log, when the agent is to end
   */
  public static CommandLine line(Map<String, String> environment, CompletableFuture<String> stop) {
    return new CommandLine(new AgentCommand(environment, stop)).setDefaultValueProvider(new EnvironmentDefaults(environment));
  }

  /** All options together. */
  AgentSettings settings() throws IOException {
    return new AgentSettings(upstream.settings(), local.settings(), mirror.settings(), discovery());
  }

  private DiscoverySettings discovery() throws IOException {
    return new DiscoverySettings(registration.settings(environment), registration.controlSocket(), dns.addresses(), dns.domain(), registration.prefix());
  }

  @Override
  public Integer call() throws IOException {
    Level level = LogSettings.level(logLevel);
    if (level == null) {
      throw new IOException("--log-level: unknown level \"" + logLevel + "\"");
    }
    AgentSettings settings = settings();
    Logging.install(new LogSettings(level, true, List.of("stderr")));
    try (Agent agent = Agent.start(settings)) {
      agent.announceReady();
      agent.stopping(stop.join());
    }
    return 0;
  }
}
