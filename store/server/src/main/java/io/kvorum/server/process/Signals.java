package io.kvorum.server.process;

import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** SIGTERM and SIGINT: told to the process, which then ends by that same signal, as etcd does; scripts look at how a process died. */
final class Signals {
  /** With this system property the process ends by exit code 0 instead: a recording JVM writes its start-up cache only at an orderly exit. */
  static final String PLAIN_EXIT = "kvorum.exit.plain";

  private static final Log LOG = Log.of(Signals.class);
  private static final int INIT_PROCESS = 1;
  private static final int SIGNAL_EXIT = 128;
  private static final long KILL_SECONDS = 2;

  private Signals() {}

  /** What stopped the process. */
  enum Stop {
    TERM("terminated", 15),
    INT("interrupt", 2);

    /** The words of Go. */
    final String text;

    private final int number;

    Stop(String text, int number) {
      this.text = text;
      this.number = number;
    }
  }

  /** Calls {@code stop} for each such signal from now on, on a thread of its own. */
  static void watch(Consumer<Stop> stop) {
    for (Stop signal : Stop.values()) {
      Signal.handle(new Signal(signal.name()), received -> stop.accept(signal));
    }
  }

  /**
   * Ends the process by the signal; as process 1, which signals do not kill, by exit code 0. The JVM cannot raise a signal whose handling it has given up, so a
   * shell sends it.
   */
  static void die(Stop stop) {
    if (Boolean.getBoolean(PLAIN_EXIT)) {
      System.exit(0);
    }
    long pid = ProcessHandle.current().pid();
    if (pid == INIT_PROCESS) {
      Runtime.getRuntime().halt(0);
    }
    Signal.handle(new Signal(stop.name()), SignalHandler.SIG_DFL);
    try {
      new ProcessBuilder("sh", "-c", "kill -" + stop.name() + " " + pid).start().waitFor(KILL_SECONDS, TimeUnit.SECONDS);
    } catch (IOException noShell) {
      LOG.debug("no shell", "error", noShell.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(SIGNAL_EXIT + stop.number);
  }
}
