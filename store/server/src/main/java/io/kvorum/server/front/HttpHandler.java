package io.kvorum.server.front;

import java.util.Map;
import java.util.function.Consumer;

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

    /**
     * Makes the connection a WebSocket, when the request asks for one; to be called before {@link HttpHandler#handle} returns.
     *
     * @return null when the request was refused, and answered, because it asks for one that cannot be
     * @throws UnsupportedOperationException when this port has none
     */
    default WebSocket webSocket() {
      throw new UnsupportedOperationException("no WebSocket here");
    }

    /**
     * Asks for room for a whole answer before it is made; it is given back when the answer has been taken.
     *
     * @return false when there is none: the answer is to be a refusal
     */
    default boolean reserve(long bytes) {
      return true;
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

  /** A connection that has become a WebSocket (RFC 6455): each line of an answer is a text message, and the end of the answer closes the connection. */
  interface WebSocket extends Responder {
    /** Runs the action once, on the event loop, with the next message, text or binary; replaces the one before. Until then nothing is read. */
    void receive(Consumer<byte[]> action);
  }
}
