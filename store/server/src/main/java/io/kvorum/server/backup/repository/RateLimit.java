package io.kvorum.server.backup.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * At most so many bytes a second on average, over all streams that it is given; a pause is caught up with by at most a quarter of a second's bytes. One thread at a time.
 */
public final class RateLimit {
  /** No limit. */
  public static final RateLimit NONE = new RateLimit(0, () -> 0, nanos -> {});

  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final long BURST_NANOS = NANOS_PER_SECOND / 4;

  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private final Sleeper sleeper;

  /** When, at the rate, all bytes so far are due. */
  private long dueNanos;

  /** Waits. */
  @FunctionalInterface
  public interface Sleeper {
    Sleeper SYSTEM = TimeUnit.NANOSECONDS::sleep;

    void sleep(long nanos) throws InterruptedException;
  }

  /**
   * @param bytesPerSecond 0: no limit
   * @param nanoTime a clock that never goes back, in nanoseconds
   */
  public RateLimit(long bytesPerSecond, LongSupplier nanoTime, Sleeper sleeper) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException("a rate below zero: " + bytesPerSecond);
    }
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
    this.sleeper = sleeper;
    this.dueNanos = nanoTime.getAsLong();
  }

  /** The limit by the system's clock. */
  public static RateLimit of(long bytesPerSecond) {
    return bytesPerSecond == 0 ? NONE : new RateLimit(bytesPerSecond, System::nanoTime, Sleeper.SYSTEM);
  }

  /** That many bytes went through; returns when the next may. */
  public void passed(long bytes) throws InterruptedIOException {
    if (bytesPerSecond == 0 || bytes <= 0) {
      return;
    }
    long now = nanoTime.getAsLong();
    dueNanos = Math.max(dueNanos, now - BURST_NANOS) + (long) ((double) bytes / bytesPerSecond * NANOS_PER_SECOND);
    if (dueNanos > now) {
      try {
        sleeper.sleep(dueNanos - now);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
  }

  /** A stream that is read no faster. */
  public InputStream limit(InputStream in) {
    return bytesPerSecond == 0 ? in : new Limited(in);
  }

  private final class Limited extends FilterInputStream {
    /** So that a big read does not become one long pause. */
    private final int readBytesMax = (int) Math.clamp(bytesPerSecond / 8, 1, 256 << 10);

    Limited(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      passed(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = super.read(buffer, offset, Math.min(length, readBytesMax));
      passed(n);
      return n;
    }
  }
}
