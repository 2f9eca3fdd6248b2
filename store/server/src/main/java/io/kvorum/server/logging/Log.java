package io.kvorum.server.logging;

import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Structured log of the server: an event in fixed words, then alternating keys and values. The words of some events are awaited by scripts and test suites
 * of etcd; they are never built from values.
 *
 * <pre>{@code
 * private static final Log LOG = Log.of(Server.class);
 * LOG.info("ready to serve client requests", "member-id", hex(id), "took-ms", 312);
 * }</pre>
 */
public final class Log {
  /** Above SEVERE: the process ends after such a line. */
  static final Level FATAL = new FatalLevel();

  private final Logger logger;

  private Log(String name) {
    this.logger = Logger.getLogger(name);
  }

  public static Log of(Class<?> owner) {
    return new Log(owner.getName());
  }

  public static Log of(String name) {
    return new Log(name);
  }

  public boolean isDebug() {
    return logger.isLoggable(Level.FINE);
  }

  public void debug(String event, Object... keysAndValues) {
    write(Level.FINE, event, null, keysAndValues);
  }

  public void info(String event, Object... keysAndValues) {
    write(Level.INFO, event, null, keysAndValues);
  }

  public void warn(String event, Object... keysAndValues) {
    write(Level.WARNING, event, null, keysAndValues);
  }

  public void error(String event, Object... keysAndValues) {
    write(Level.SEVERE, event, null, keysAndValues);
  }

  /** For the unexpected: with the stack trace. */
  public void error(String event, Throwable thrown, Object... keysAndValues) {
    write(Level.SEVERE, event, thrown, keysAndValues);
  }

  /** The last line of a process that gives up. */
  public void fatal(String event, Object... keysAndValues) {
    write(FATAL, event, null, keysAndValues);
  }

  private void write(Level level, String event, Throwable thrown, Object[] keysAndValues) {
    if (!logger.isLoggable(level)) {
      return;
    }
    LogRecord entry = new LogRecord(level, event);
    entry.setLoggerName(logger.getName());
    entry.setParameters(new Object[] {new Fields(keysAndValues)});
    entry.setThrown(thrown);
    logger.log(entry);
  }

  /** The pairs of one line, alternating. */
  record Fields(Object[] keysAndValues) {
    static final Fields NONE = new Fields(new Object[0]);
  }

  private static final class FatalLevel extends Level {
    private static final long serialVersionUID = 1L;

    FatalLevel() {
      super("FATAL", Level.SEVERE.intValue() + 100);
    }
  }
}
