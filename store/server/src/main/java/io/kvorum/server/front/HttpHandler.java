package io.kvorum.server.front;

/** Answers HTTP requests. Called on the connection's event loop: must not block. */
@FunctionalInterface
public interface HttpHandler {
  /** Answers once, now or later, from any thread. */
  void handle(HttpRequest request, Responder responder);

  /** Where the answer goes. */
  @FunctionalInterface
  interface Responder {
    void respond(HttpResponse response);
  }
}
