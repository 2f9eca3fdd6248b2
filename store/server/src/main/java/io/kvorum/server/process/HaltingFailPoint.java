package io.kvorum.server.process;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ends the process, as a power cut would, at a named durable boundary: for crash tests with real processes. Given by the environment variable {@link
 * #VARIABLE} as {@code name:count}; the process halts at the count-th time that the boundary is reached.
 */
final class HaltingFailPoint implements io.kvorum.raft.FailPoint, io.kvorum.mvcc.FailPoint {
  static final String VARIABLE = "KVORUM_FAIL_POINT";

  /** The status of a process that SIGKILL ended. */
  private static final int EXIT_STATUS = 137;

  private final String name;
  private final AtomicInteger left;
  private final Runnable halt;

  private HaltingFailPoint(String name, int count, Runnable halt) {
    this.name = name;
    this.left = new AtomicInteger(count);
    this.halt = halt;
  }

  /**
   * @param specification value of the variable; null or empty: never halts
   * @throws IllegalArgumentException if it is neither {@code name} nor {@code name:count} with a positive count
   */
  static HaltingFailPoint of(String specification) {
    return of(specification, () -> Runtime.getRuntime().halt(EXIT_STATUS));
  }

  static HaltingFailPoint of(String specification, Runnable halt) {
    if (specification == null || specification.isEmpty()) {
      return new HaltingFailPoint("", 1, halt);
    }
    int colon = specification.lastIndexOf(':');
    String name = colon < 0 ? specification : specification.substring(0, colon);
    try {
      int count = colon < 0 ? 1 : Integer.parseInt(specification.substring(colon + 1));
      if (count > 0 && !name.isEmpty()) {
        return new HaltingFailPoint(name, count, halt);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(VARIABLE + " is name:count, not " + specification);
  }

  @Override
  public void reached(String point) {
    if (point.equals(name) && left.decrementAndGet() == 0) {
      halt.run();
    }
  }
}
