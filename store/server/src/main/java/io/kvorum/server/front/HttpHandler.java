package io.kvorum.server.front;

import java.util.Map;

/** Answers HTTP requests. Called on the connection's event loop: must not block. */
@FunctionalInterface
public interface HttpHandler {
  /** Answers once, now or later, from any thread. */
  void handle(HttpRequest request, Responder responder);

  /** Where the answer goes. */
  @FunctionalInterface
  interface Responder {
    void respond(HttpResponse response);

    /**
     * Begins an answer in pieces.
     *
     * @param headers by name
     * @throws UnsupportedOperationException when this port has whole answers alone
     */
    default Stream stream(int status, Map<String, String> headers) {
      throw new UnsupportedOperationException("no answers in pieces here");
    }

    /** Tells, on the event loop, when the connection ends before the answer does; at once when it has ended. At most one action is kept. */
    default void onGone(Runnable action) {}
  }

  /** An answer in pieces. Calls from any thread, but never two at once. What is written to a connection that has ended goes nowhere. */
  interface Stream {
    /** One piece, sent as one chunk, right away. */
    void write(byte[] piece);

    /** Runs the action once, on the event loop, when the connection can take more, perhaps at once; replaces the one before. Never, when the connection ends. */
    void whenWritable(Runnable action);

    void end();
  }
}
