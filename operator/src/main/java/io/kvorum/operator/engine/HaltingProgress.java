package io.kvorum.operator.engine;

/**
 * Ends the process at a named point, as a crash would, so that a test can show that the next run finishes what was begun. For one thread.
 *
 * <p>The environment variable {@link #VARIABLE} holds POINT:COUNT, the COUNT-th time that the point is reached, or {@code any:COUNT}.
 */
public final class HaltingProgress implements ClusterEngine.Progress {
  /** Environment variable. */
  public static final String VARIABLE = "KVORUM_OPERATOR_FAIL_POINT";

  private static final int STATUS = 137;

  private final String point;
  private int left;

  private HaltingProgress(String point, int left) {
    this.point = point;
    this.left = left;
  }

  /**
   * @param value of the variable, null or empty for none
   * @throws IllegalArgumentException for anything but POINT:COUNT
   */
  public static ClusterEngine.Progress of(String value) {
    if (value == null || value.isEmpty()) {
      return ClusterEngine.Progress.NONE;
    }
    int colon = value.indexOf(':');
    if (colon <= 0 || !value.substring(colon + 1).matches("[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException(VARIABLE + " is POINT:COUNT, not " + value);
    }
    return new HaltingProgress(value.substring(0, colon), Integer.parseInt(value.substring(colon + 1)));
  }

  @Override
  public void reached(String at) {
    if ((point.equals("any") || point.equals(at)) && --left == 0) {
      Runtime.getRuntime().halt(STATUS);
    }
  }
}
