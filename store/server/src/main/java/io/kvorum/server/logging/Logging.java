package io.kvorum.server.logging;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.text.MessageFormat;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Sends all log records of the process (ours, System.Logger's and the libraries') to the outputs, each as one line in one write. */
public final class Logging extends Handler {
  private final boolean json;
  private final List<OutputStream> outputs;

  Logging(boolean json, List<OutputStream> outputs) {
    this.json = json;
    this.outputs = List.copyOf(outputs);
  }

  /**
   * Replaces the handlers of the root logger.
   *
   * @throws IOException if a log file cannot be opened
   */
  public static void install(LogSettings settings) throws IOException {
    List<OutputStream> outputs = new ArrayList<>();
    for (String output : settings.outputs()) {
      outputs.add(open(output, settings.rotation()));
    }
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    show(settings.level());
    root.addHandler(new Logging(settings.json(), outputs));
  }

  private static OutputStream open(String output, Rotation rotation) throws IOException {
    return switch (output) {
      case "stderr", "default", "systemd/journal" -> new FileOutputStream(FileDescriptor.err);
      case "stdout" -> new FileOutputStream(FileDescriptor.out);
      default -> openFile(output, rotation);
    };
  }

  private static OutputStream openFile(String output, Rotation rotation) throws IOException {
    try {
      Path file = Path.of(output);
      return rotation != null
          ? new RotatingFile(file, rotation, Clock.systemDefaultZone())
          : Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      String reason = e instanceof NoSuchFileException ? "no such file or directory" : e instanceof AccessDeniedException ? "permission denied" : e.getMessage();
      throw new IOException("open sink \"" + output + "\": open " + output + ": " + reason, e);
    }
  }

  /** Changes the lowest level that is shown, at any time. */
  public static void show(Level level) {
    Logger.getLogger("").setLevel(level);
    // What the libraries say at lower levels is about connections that come and go.
    Level libraries = level.intValue() > Level.WARNING.intValue() ? level : Level.WARNING;
    for (String name : List.of("io.netty", "io.grpc", "io.quarkus", "io.smallrye", "org.jboss", "java", "javax", "jdk", "sun")) {
      Logger.getLogger(name).setLevel(libraries);
    }
    // It warns of each connection on a Unix socket, which has no option SO_KEEPALIVE.
    Logger.getLogger("io.netty.bootstrap").setLevel(Level.SEVERE);
    // It warns of flags that Java 25 no longer has.
    Logger.getLogger("net.openhft").setLevel(Level.SEVERE);
    // It writes the stack for each try to resolve a name, as of a member whose pod is being made anew; that a member is not reached is said once by PeerLink.
    Logger.getLogger("io.grpc.internal.ManagedChannelImpl").setLevel(Level.SEVERE);
  }

  @Override
  public void publish(LogRecord entry) {
    if (!isLoggable(entry)) {
      return;
    }
    LogLine line = line(entry);
    byte[] bytes = (json ? line.json() : line.console()).getBytes(StandardCharsets.UTF_8);
    synchronized (this) {
      for (OutputStream output : outputs) {
        try {
          output.write(bytes);
        } catch (IOException e) {
          reportError("log output", e, ErrorManager.WRITE_FAILURE);
        }
      }
    }
  }

  private static LogLine line(LogRecord entry) {
    Object[] parameters = entry.getParameters();
    if (parameters != null && parameters.length == 1 && parameters[0] instanceof Log.Fields(Object[] keysAndValues)) {
      return new LogLine(entry.getLevel(), entry.getInstant(), entry.getLoggerName(), entry.getMessage(), keysAndValues, entry.getThrown());
    }
    String message = message(entry, parameters);
    return new LogLine(entry.getLevel(), entry.getInstant(), entry.getLoggerName(), message, Log.Fields.NONE.keysAndValues(), entry.getThrown());
  }

  private static String message(LogRecord entry, Object[] parameters) {
    String text = String.valueOf(entry.getMessage());
    if (entry instanceof org.jboss.logmanager.ExtLogRecord extended) {
      return extended.getFormattedMessage();
    }
    if (parameters == null || parameters.length == 0 || text.indexOf('{') < 0) {
      return text;
    }
    try {
      return MessageFormat.format(text, parameters);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  @Override
  public void flush() {
    // Every line is written at once.
  }

  @Override
  public void close() {
    // The outputs live as long as the process.
  }
}
