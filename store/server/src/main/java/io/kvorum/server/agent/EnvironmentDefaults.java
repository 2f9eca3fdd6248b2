package io.kvorum.server.agent;

import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options that the command line leaves out come from the environment: {@code --dial-timeout} is {@code KVORUM_AGENT_DIAL_TIMEOUT}. Empty values count as absent. */
public record EnvironmentDefaults(Map<String, String> environment) implements IDefaultValueProvider {
  public static final String PREFIX = "KVORUM_AGENT_";

  @Override
  public String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option) || option.usageHelp()) {
      return null;
    }
    String name = option.longestName().replaceFirst("^-+", "").replace('-', '_').toUpperCase(Locale.ROOT);
    String value = environment.getOrDefault(PREFIX + name, "");
    return value.isEmpty() ? null : value;
  }
}
