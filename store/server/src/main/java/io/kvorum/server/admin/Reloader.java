package io.kvorum.server.admin;

import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.Options;
import io.kvorum.server.config.Reload;
import io.kvorum.server.logging.Log;
import java.util.List;

/**
 * Takes options and TLS files anew:
 *
 * <ol>
 *   <li>the configuration is read and checked as at a start, and so is every TLS file that is in use; the first that is wrong refuses, and nothing has changed;
 *   <li>the TLS files count for new connections; those that are open go on;
 *   <li>options that can change while serving count from now on; the others are named.
 * </ol>
 *
 * One call at a time; it reads files.
 */
public final class Reloader {
  private static final Log LOG = Log.of(Reloader.class);

  private final CurrentConfig config;
  private final Certificates certificates;
  private volatile List<Options.Change> waiting = List.of();

  public Reloader(CurrentConfig config, Certificates certificates) {
    this.config = config;
    this.certificates = certificates;
  }

  /** What a call did. */
  sealed interface Outcome {
    /**
     * @param options what became of them
     * @param tlsChanged whether the TLS files hold something else than at the call before, or at the start
     */
    record Taken(Reload options, boolean tlsChanged) implements Outcome {}

    /** Nothing has changed. */
    record Refused(String reason) implements Outcome {}
  }

  synchronized Outcome reload() {
    Reload options;
    try {
      options = config.read();
    } catch (IllegalArgumentException e) {
      return refused(e.getMessage());
    }
    String wrongFile = certificates.refusal();
    if (wrongFile != null) {
      return refused(wrongFile);
    }
    boolean tlsChanged = certificates.take();
    config.set(options.config());
    waiting = options.waiting();
    LOG.info(
        "reloaded the configuration", "changed", names(options.changed()), "restart-needed", names(options.waiting()), "tls-files-changed", tlsChanged,
        "config-hash", options.config().options().hash());
    return new Outcome.Taken(options, tlsChanged);
  }

  private static Outcome refused(String reason) {
    LOG.warn("cannot reload the configuration; what counted before goes on", "error", reason);
    return new Outcome.Refused(reason);
  }

  private static List<String> names(List<Options.Change> changes) {
    return changes.stream().map(Options.Change::name).toList();
  }

  /** Names of the options whose new value waits for a restart, as the last call found them. */
  List<String> waiting() {
    return names(waiting);
  }
}
