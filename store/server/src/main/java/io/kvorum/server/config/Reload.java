package io.kvorum.server.config;

import java.util.List;

/**
 * What a configuration that was read anew changes in a running member.
 *
 * @param config what counts from now on: the new values of options that can change while serving, the former ones of all others
 * @param changed options that have another value in it
 * @param waiting options whose new value needs a restart
 */
public record Reload(ServerConfig config, List<Options.Change> changed, List<Options.Change> waiting) {
  /**
   * @param running what counts now
   * @param fresh what a start would take now
   * @throws IllegalArgumentException when the new values do not go with those that stay
   */
  public static Reload of(ServerConfig running, ServerConfig fresh) {
    FlagTable table = FlagTable.etcd36();
    List<Options.Change> all = running.options().changesTo(fresh.options());
    List<Options.Change> changed = all.stream().filter(change -> Options.isReloadable(table.get(change.name()))).toList();
    List<Options.Change> waiting = all.stream().filter(change -> !changed.contains(change)).toList();
    if (waiting.isEmpty()) {
      return new Reload(fresh, changed, waiting);
    }
    try {
      return new Reload(ConfigParser.config(table, running.options().with(changed)), changed, waiting);
    } catch (ConfigException e) {
      throw new IllegalArgumentException(e.notice().keysAndValues().getLast().toString(), e);
    }
  }
}
