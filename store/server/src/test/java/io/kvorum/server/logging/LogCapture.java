package io.kvorum.server.logging;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/** Keeps what one class logs, as {@code event key=value key=value}. */
public final class LogCapture extends Handler implements AutoCloseable {
  private final Logger logger;
  private final List<String> lines = new CopyOnWriteArrayList<>();

  public LogCapture(Class<?> owner) {
    logger = Logger.getLogger(owner.getName());
    logger.addHandler(this);
  }

  @Override
  public void publish(LogRecord entry) {
    StringBuilder line = new StringBuilder(entry.getLevel().getName()).append(' ').append(entry.getMessage());
    if (entry.getParameters() != null && entry.getParameters()[0] instanceof Log.Fields(Object[] pairs)) {
      for (int i = 0; i < pairs.length; i += 2) {
        line.append(' ').append(pairs[i]).append('=').append(pairs[i + 1]);
      }
    }
    lines.add(line.toString());
  }

  /** Waits until so many lines are there, ten seconds at most. */
  public List<String> await(int count) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (lines.size() < count && System.nanoTime() - deadline < 0) {
      Thread.sleep(5);
    }
    return lines.stream().collect(Collectors.toUnmodifiableList());
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    logger.removeHandler(this);
  }
}
