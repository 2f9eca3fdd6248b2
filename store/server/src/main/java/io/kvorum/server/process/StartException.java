package io.kvorum.server.process;

/** The server cannot start for a reason that its user can mend; told in one line. */
final class StartException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String event;

  /**
   * @param event fixed words of the line
   * @param message why
   */
  StartException(String event, String message) {
    super(message);
    this.event = event;
  }

  String event() {
    return event;
  }
}
