package io.kvorum.server.logging;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.logging.Level;

/**
 * One line of the log, in either form. JSON: {@code {"level":"info","ts":"…Z","caller":"process/Server","msg":"…",…}}; console: the same separated by tabs,
 * the pairs as a JSON object at the end. Pure.
 *
 * @param level its severity
 * @param time when
 * @param logger name of the logger; its last two parts are shown as the caller
 * @param message the event
 * @param keysAndValues alternating
 * @param thrown its stack trace is shown, null for none
 */
record LogLine(Level level, Instant time, String logger, String message, Object[] keysAndValues, Throwable thrown) {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final int LINE_CHARACTERS = 256;

  String json() {
    StringBuilder out = new StringBuilder(LINE_CHARACTERS);
    out.append("{\"level\":\"").append(levelName(level)).append("\",\"ts\":\"");
    TIME.formatTo(time, out);
    out.append("\",\"caller\":");
    quote(caller(), out);
    out.append(",\"msg\":");
    quote(message, out);
    pairs(out, false, ":", ",");
    return out.append("}\n").toString();
  }

  String console() {
    StringBuilder out = new StringBuilder(LINE_CHARACTERS);
    TIME.formatTo(time, out);
    out.append('\t').append(levelName(level)).append('\t').append(caller()).append('\t').append(message);
    if (keysAndValues.length > 0 || thrown != null) {
      out.append("\t{");
      pairs(out, true, ": ", ", ");
      out.append('}');
    }
    return out.append('\n').toString();
  }

  /** zap's names. */
  static String levelName(Level level) {
    int value = level.intValue();
    if (value > Level.SEVERE.intValue()) {
      return "fatal";
    }
    if (value >= Level.SEVERE.intValue()) {
      return "error";
    }
    if (value >= Level.WARNING.intValue()) {
      return "warn";
    }
    return value >= Level.INFO.intValue() ? "info" : "debug";
  }

  private String caller() {
    String name = logger == null || logger.isEmpty() ? "kvorum" : logger;
    int last = name.lastIndexOf('.');
    int previous = last < 0 ? -1 : name.lastIndexOf('.', last - 1);
    return name.substring(previous + 1).replace('.', '/');
  }

  private void pairs(StringBuilder out, boolean first, String colon, String separator) {
    boolean comma = !first;
    for (int i = 0; i < keysAndValues.length; i += 2) {
      if (comma) {
        out.append(separator);
      }
      comma = true;
      quote(String.valueOf(keysAndValues[i]), out);
      out.append(colon);
      value(i + 1 < keysAndValues.length ? keysAndValues[i + 1] : null, out, colon, separator);
    }
    if (thrown != null) {
      out.append(comma ? separator : "").append("\"stacktrace\"").append(colon);
      StringWriter trace = new StringWriter();
      thrown.printStackTrace(new PrintWriter(trace));
      quote(trace.toString(), out);
    }
  }

  private static void value(Object value, StringBuilder out, String colon, String separator) {
    switch (value) {
      case null -> out.append("null");
      case Number number -> out.append(number);
      case Boolean truth -> out.append(truth);
      // A path is a list of paths, each of which is a list of itself.
      case Path path -> quote(path.toString(), out);
      case Iterable<?> list -> {
        out.append('[');
        String comma = "";
        for (Object item : list) {
          out.append(comma);
          value(item, out, colon, separator);
          comma = separator;
        }
        out.append(']');
      }
      case Map<?, ?> map -> {
        out.append('{');
        String comma = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(comma);
          quote(String.valueOf(entry.getKey()), out);
          out.append(colon);
          value(entry.getValue(), out, colon, separator);
          comma = separator;
        }
        out.append('}');
      }
      default -> quote(value.toString(), out);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ' || Character.isSurrogate(c) && !paired(text, i)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  private static boolean paired(String text, int i) {
    return Character.isHighSurrogate(text.charAt(i))
        ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
  }
}
