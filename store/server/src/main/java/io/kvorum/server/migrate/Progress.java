package io.kvorum.server.migrate;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Tells in plain lines how far a long piece of work is: bytes, rate, time left. At most one line in two seconds (ten for what runs unattended), and one at the end. */
public final class Progress {
  private static final long INTERVAL_NANOS = 2_000_000_000L;
  private static final long QUIET_INTERVAL_NANOS = 10_000_000_000L;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB"};
  private static final double UNIT = 1_000;

  private final PrintStream out;
  private final String what;
  private final long total;
  private final LongSupplier nanoTime;
  private final long intervalNanos;
  private final long started;
  private long told;
  private long done;

  /**
   * @param what the work, as the lines begin
   * @param total bytes, 0 when not known
   */
  public Progress(PrintStream out, String what, long total, LongSupplier nanoTime) {
    this(out, what, total, nanoTime, INTERVAL_NANOS);
  }

  /** As the constructor; with a line in ten seconds when nobody looks at a terminal. */
  public static Progress unattended(PrintStream out, String what, long total, LongSupplier nanoTime) {
    Console console = System.console();
    return new Progress(out, what, total, nanoTime, console != null && console.isTerminal() ? INTERVAL_NANOS : QUIET_INTERVAL_NANOS);
  }

  private Progress(PrintStream out, String what, long total, LongSupplier nanoTime, long intervalNanos) {
    this.intervalNanos = intervalNanos;
    this.out = out;
    this.what = what;
    this.total = total;
    this.nanoTime = nanoTime;
    this.started = nanoTime.getAsLong();
    this.told = started;
  }

  /** That many bytes more. */
  public void advance(long bytes) {
    done += bytes;
    long now = nanoTime.getAsLong();
    if (now - told >= intervalNanos) {
      told = now;
      double rate = done / ((now - started) / NANOS_PER_SECOND);
      String left = total > done && rate > 0 ? ", " + Math.round((total - done) / rate) + " s left" : "";
      out.println(what + ": " + size(done) + (total > 0 ? " of " + size(total) : "") + ", " + size(rate) + "/s" + left);
    }
  }

  /** The work is over. */
  public void end() {
    double seconds = (nanoTime.getAsLong() - started) / NANOS_PER_SECOND;
    out.println(what + ": " + size(done) + " in " + String.format(Locale.ROOT, "%.1f", seconds) + " s");
  }

  static String size(double bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= UNIT && unit < UNITS.length - 1) {
      value /= UNIT;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
  }
}
