package io.kvorum.server.config;

import io.kvorum.server.logging.LogSettings;
import java.util.List;

/** What a command line asks for. */
public sealed interface Parsed {
  /**
   * Serve.
   *
   * @param notices lines to log first
   */
  record Serve(ServerConfig config, List<Notice> notices) implements Parsed {}

  /** Print something and end: version, help, or a command line that cannot be understood (exit code 2). */
  record Print(int exitCode, String out, String err) implements Parsed {}

  /**
   * A configuration that must not start: log and end with exit code 1.
   *
   * @param log how to log it
   * @param notices lines to log first
   * @param refusal the last line
   */
  record Refused(LogSettings log, List<Notice> notices, Notice refusal) implements Parsed {
    /** Why, in one line. */
    public String reason() {
      List<Object> pairs = refusal.keysAndValues();
      int error = pairs.indexOf("error");
      return error >= 0 ? String.valueOf(pairs.get(error + 1)) : refusal.event() + (pairs.isEmpty() ? "" : " " + pairs);
    }
  }

  /**
   * One line for the log.
   *
   * @param severity how grave
   * @param event fixed words
   * @param keysAndValues alternating
   */
  record Notice(Severity severity, String event, List<Object> keysAndValues) {
    static Notice info(String event, Object... keysAndValues) {
      return new Notice(Severity.INFO, event, List.of(keysAndValues));
    }

    static Notice warn(String event, Object... keysAndValues) {
      return new Notice(Severity.WARN, event, List.of(keysAndValues));
    }

    static Notice fatal(String event, Object... keysAndValues) {
      return new Notice(Severity.FATAL, event, List.of(keysAndValues));
    }
  }

  /** Severity of a notice. */
  enum Severity {
    INFO,
    WARN,
    FATAL
  }
}
