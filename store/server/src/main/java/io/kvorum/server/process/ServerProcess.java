package io.kvorum.server.process;

import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.logging.Log;
import jakarta.inject.Singleton;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The life of the serving process.
 *
 * <ol>
 *   <li>Signals are watched from the first moment; one that comes while starting ends the process at once, which is as safe as a crash.
 *   <li>What cannot start says why in one fatal line: exit code 1.
 *   <li>A signal while serving: leadership is handed over, ports and files are closed, then the process dies by that signal (143, 130).
 *   <li>A member that fails (disk, damaged state) says so in one fatal line: exit code 1. One that was removed from the cluster: exit code 0, as etcd.
 * </ol>
 */
@Singleton
public class ServerProcess {
  private static final Log LOG = Log.of(ServerProcess.class);

  /** Closing may take so long; then the process ends without it, as after a crash. */
  private static final long CLOSE_SECONDS = 10;

  /** Why serving ends. */
  private sealed interface End {
    record Signalled(Signals.Stop signal) implements End {}

    record Failed(Throwable cause) implements End {}

    record Removed() implements End {}
  }

  /** Serves until the process is to end. Returns the exit code. */
  public int run(CurrentConfig config) {
    CompletableFuture<End> end = new CompletableFuture<>();
    Signals.watch(signal -> end.complete(new End.Signalled(signal)));
    CompletableFuture<Server> started = new CompletableFuture<>();
    Thread starter = Thread.ofPlatform().name("start").daemon().start(() -> start(config, started, end));
    End reason = end.join();
    if (reason instanceof End.Signalled(Signals.Stop signal)) {
      LOG.info("received signal; shutting down", "signal", signal.text);
    }
    Server server = started.isCompletedExceptionally() ? null : started.getNow(null);
    if (server != null) {
      close(server);
    } else {
      starter.interrupt();
    }
    return switch (reason) {
      case End.Signalled(Signals.Stop signal) -> {
        Signals.die(signal);
        yield 0;
      }
      case End.Failed ignored -> 1;
      case End.Removed ignored -> 0;
    };
  }

  private static void start(CurrentConfig config, CompletableFuture<Server> started, CompletableFuture<End> end) {
    try {
      Server server = Server.start(config);
      started.complete(server);
      server.failure().thenAccept(cause -> end.complete(ended(server, cause)));
    } catch (StartException refused) {
      LOG.fatal(refused.event(), "error", refused.getMessage());
      end.complete(new End.Failed(refused));
    } catch (Exception | LinkageError unexpected) {
      LOG.error("failed to start", unexpected);
      LOG.fatal("failed to start", "error", String.valueOf(unexpected.getMessage()));
      end.complete(new End.Failed(unexpected));
    }
  }

  private static End ended(Server server, Throwable cause) {
    if (server.isRemoved(cause)) {
      LOG.warn("the member has been permanently removed from the cluster");
      LOG.warn("server error", "error", "the member has been permanently removed from the cluster");
      return new End.Removed();
    }
    LOG.error("this member cannot go on", cause);
    LOG.fatal("this member cannot go on", "error", String.valueOf(cause.getMessage()));
    return new End.Failed(cause);
  }

  private static void close(Server server) {
    Thread closer = Thread.ofPlatform().name("stop").daemon().start(server::close);
    try {
      if (!closer.join(java.time.Duration.ofSeconds(CLOSE_SECONDS))) {
        LOG.warn("closing took too long; ending without it", "seconds", TimeUnit.SECONDS.toSeconds(CLOSE_SECONDS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
