package io.kvorum.server.front;

import java.util.LinkedHashMap;
import java.util.Map;

/** Handlers by path. A path that ends with a slash stands for all below it; anything else must be equal. */
public final class HttpRoutes implements HttpHandler {
  private final Map<String, HttpHandler> exact = new LinkedHashMap<>();
  private final Map<String, HttpHandler> prefixes = new LinkedHashMap<>();

  public HttpRoutes route(String path, HttpHandler handler) {
    (path.endsWith("/") ? prefixes : exact).put(path, handler);
    return this;
  }

  /** A route that answers GET at once and refuses other methods. */
  public HttpRoutes get(String path, java.util.function.Function<HttpRequest, HttpResponse> answer) {
    return route(
        path,
        (request, responder) ->
            responder.respond(request.method().equals("GET") ? answer.apply(request) : HttpResponse.methodNotAllowed("GET")));
  }

  @Override
  public void handle(HttpRequest request, Responder responder) {
    HttpHandler handler = exact.get(request.path());
    if (handler == null) {
      for (Map.Entry<String, HttpHandler> prefix : prefixes.entrySet()) {
        if (request.path().startsWith(prefix.getKey())) {
          handler = prefix.getValue();
        }
      }
    }
    if (handler == null) {
      responder.respond(HttpResponse.notFound());
    } else {
      handler.handle(request, responder);
    }
  }
}
