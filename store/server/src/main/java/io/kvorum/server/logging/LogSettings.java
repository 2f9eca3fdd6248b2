package io.kvorum.server.logging;

import java.util.List;
import java.util.logging.Level;

/**
 * How the process logs.
 *
 * @param level the lowest level shown
 * @param json one JSON object a line, else tab-separated text
 * @param outputs {@code stderr}, {@code stdout} or paths of files, which are appended to
 * @param rotation of the one file among the outputs, null for none
 */
public record LogSettings(Level level, boolean json, List<String> outputs, Rotation rotation) {
  public static final LogSettings DEFAULT = new LogSettings(Level.INFO, true, List.of("stderr"));

  public LogSettings(Level level, boolean json, List<String> outputs) {
    this(level, json, outputs, null);
  }

  /** A level by etcd's name, or null if there is none of that name. */
  public static Level level(String name) {
    return switch (name) {
      case "debug" -> Level.FINE;
      case "info" -> Level.INFO;
      case "warn", "warning" -> Level.WARNING;
      case "error" -> Level.SEVERE;
      case "dpanic", "panic", "fatal" -> Log.FATAL;
      default -> null;
    };
  }
}
