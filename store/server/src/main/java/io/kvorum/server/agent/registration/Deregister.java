package io.kvorum.server.agent.registration;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * {@code kvorum agent deregister [--control-socket=PATH]}: asks the agent of this container to take its registration away, and ends when the cluster has confirmed that. The agent goes on with
 * everything else. A preStop hook is meant to call it, so it uses nothing but the JDK's base module: it starts in a moment and needs little memory.
 */
public final class Deregister {
  /** Tells the place where the option does not. */
  public static final String VARIABLE = "KVORUM_AGENT_CONTROL_SOCKET";

  private static final int LINE_BYTES_MAX = 512;
  /** More than the agent takes for its answer in any case. */
  private static final long PATIENCE_MILLIS = 1_000 * (ControlSocket.CALLER_SECONDS + 3);

  private static final String OPTION = "--control-socket";
  private static final String USAGE =
      "Usage: kvorum agent deregister [--control-socket=PATH]\n"
          + "Takes the agent's registration away and waits until the cluster has confirmed it; the agent goes on serving.\n"
          + "      --control-socket=PATH   where the agent listens for this (default: $" + VARIABLE + ", else kvorum-agent.sock in the folder for temporary files)\n";

  private Deregister() {}

  /** Exit code 0: the entry is gone. 1: it is not, or nobody knows; one line on the error stream says why. 2: wrong arguments. */
  @SuppressWarnings("SystemOut")
  public static void main(String... arguments) {
    Thread.ofPlatform().daemon().start(Deregister::endLate);
    System.exit(run(List.of(arguments), System.getenv(), System.out, System.err));
  }

  /** @param arguments without {@code agent deregister} */
  public static int run(List<String> arguments, Map<String, String> environment, Appendable out, Appendable err) {
    try {
      if (arguments.equals(List.of("--help")) || arguments.equals(List.of("-h"))) {
        out.append(USAGE);
        return 0;
      }
      Path socket = socket(arguments, environment);
      if (socket == null) {
        err.append(USAGE);
        return 2;
      }
      String answer = ask(socket);
      if (answer.equals(ControlSocket.DONE)) {
        out.append("deregistered\n");
        return 0;
      }
      err.append("kvorum agent deregister: ").append(answer.isEmpty() ? "the agent went away" : answer).append('\n');
    } catch (IOException e) {
      report(err, e.getMessage());
    }
    return 1;
  }

  @SuppressWarnings("SystemOut")
  private static void endLate() {
    try {
      Thread.sleep(PATIENCE_MILLIS);
    } catch (InterruptedException e) {
      return;
    }
    report(System.err, "the agent does not answer");
    Runtime.getRuntime().halt(1);
  }

  private static void report(Appendable err, String message) {
    try {
      err.append("kvorum agent deregister: ").append(message).append('\n');
    } catch (IOException nobodyReads) {
      // The exit code says it.
    }
  }

  private static Path socket(List<String> arguments, Map<String, String> environment) {
    try {
      if (arguments.isEmpty()) {
        return place(environment.get(VARIABLE));
      }
      if (arguments.size() == 1 && arguments.getFirst().startsWith(OPTION + "=")) {
        return Path.of(arguments.getFirst().substring(OPTION.length() + 1));
      }
      return arguments.size() == 2 && arguments.getFirst().equals(OPTION) ? Path.of(arguments.getLast()) : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }

  /**
   * Where the agent listens.
   *
   * @param given may be null or empty: then the folder for temporary files
   */
  public static Path place(String given) {
    return given == null || given.isEmpty() ? Path.of(System.getProperty("java.io.tmpdir"), ControlSocket.DEFAULT_NAME) : Path.of(given);
  }

  private static String ask(Path path) throws IOException {
    try (SocketChannel agent = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      try {
        agent.connect(UnixDomainSocketAddress.of(path));
      } catch (IOException e) {
        throw new IOException("no agent listens at " + path + ": " + e.getMessage(), e);
      }
      agent.write(ByteBuffer.wrap((ControlSocket.DEREGISTER + "\n").getBytes(StandardCharsets.UTF_8)));
      return readLine(agent);
    }
  }

  /** Up to the end of the first line, or of what comes; at most {@value #LINE_BYTES_MAX} bytes. */
  static String readLine(SocketChannel from) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LINE_BYTES_MAX);
    while (bytes.hasRemaining() && from.read(bytes) >= 0) {
      String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
      if (text.indexOf('\n') >= 0) {
        return text.substring(0, text.indexOf('\n'));
      }
    }
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
  }
}
