package io.kvorum.server.agent.registration;

import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Where {@code kvorum agent deregister} asks for its work: a Unix socket that its owner alone may use. One line comes in, {@value #DEREGISTER}; one goes out, {@value #DONE} or the reason
 * why not. {@value #CALLERS_MAX} callers at a time, each for {@value #CALLER_SECONDS} s at most.
 */
public final class ControlSocket implements AutoCloseable {
  static final String DEREGISTER = "deregister";
  static final String DONE = "ok";
  static final int CALLERS_MAX = 8;
  static final long CALLER_SECONDS = Registrar.WITHDRAWAL_SECONDS + 2;
  /** Name of the socket in the folder for temporary files, unless another place is given. */
  static final String DEFAULT_NAME = "kvorum-agent.sock";

  private static final Log LOG = Log.of(ControlSocket.class);
  private static final long PAUSE_MILLIS = 1_000;

  private final Path path;
  private final ServerSocketChannel listening;
  private final Registrar registrar;
  private final Semaphore callers = new Semaphore(CALLERS_MAX);

  private ControlSocket(Path path, ServerSocketChannel listening, Registrar registrar) {
    this.path = path;
    this.listening = listening;
    this.registrar = registrar;
  }

  /**
   * Listens.
   *
   * @throws IOException when another agent listens there, or something else has the name
   */
  public static ControlSocket open(Path path, Registrar registrar) throws IOException {
    clear(path);
    ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      listening.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      listening.close();
      throw new IOException("--control-socket=" + path + ": " + e.getMessage(), e);
    }
    ControlSocket socket = new ControlSocket(path, listening, registrar);
    Thread.ofVirtual().name("control-socket").start(socket::accept);
    return socket;
  }

  /** Removes what an agent that was killed left behind; anything else stays. */
  private static void clear(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    if (Files.isRegularFile(path) || Files.isDirectory(path)) {
      throw new IOException("--control-socket=" + path + ": there is something else of that name");
    }
    try (SocketChannel other = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException nobody) {
      Files.delete(path);
      return;
    }
    throw new IOException("--control-socket=" + path + ": another agent listens there");
  }

  private void accept() {
    while (listening.isOpen()) {
      try {
        SocketChannel caller = listening.accept();
        if (callers.tryAcquire()) {
          Thread.ofVirtual().name("control-call").start(() -> serve(caller));
        } else {
          caller.close();
        }
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        LOG.error("the control socket failed", "path", path, "reason", e.getMessage());
        if (!rest()) {
          return;
        }
      }
    }
  }

  private static boolean rest() {
    try {
      Thread.sleep(PAUSE_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void serve(SocketChannel caller) {
    Thread guard = Thread.ofVirtual().name("control-guard").start(() -> closeLater(caller));
    try (caller) {
      String line = Deregister.readLine(caller);
      caller.write(ByteBuffer.wrap((answer(line) + "\n").getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      LOG.debug("a caller of the control socket went", "reason", e.getMessage());
    } finally {
      guard.interrupt();
      callers.release();
    }
  }

  private static void closeLater(SocketChannel caller) {
    try {
      Thread.sleep(TimeUnit.SECONDS.toMillis(CALLER_SECONDS));
      caller.close();
    } catch (InterruptedException served) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.debug("a caller of the control socket could not be closed", "reason", e.getMessage());
    }
  }

  private String answer(String line) {
    if (!line.equals(DEREGISTER)) {
      return "unknown request";
    }
    try {
      Withdrawal withdrawal = registrar.withdraw(Reason.DEREGISTERED).get(CALLER_SECONDS, TimeUnit.SECONDS);
      return withdrawal.confirmed() ? DONE : withdrawal.detail().replace('\n', ' ');
    } catch (ExecutionException | TimeoutException e) {
      return "failed: " + e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    Files.deleteIfExists(path);
  }
}
