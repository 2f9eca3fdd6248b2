package io.kvorum.server.front;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * @param status code
 * @param headers by name
 * @param body whole
 */
public record HttpResponse(int status, Map<String, String> headers, byte[] body) {
  static final String PLAIN = "text/plain; charset=utf-8";
  static final String JSON = "application/json";
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;
  private static final int METHOD_NOT_ALLOWED = 405;

  public static HttpResponse ok(String type, String body) {
    return new HttpResponse(OK, Map.of("Content-Type", type), body.getBytes(StandardCharsets.UTF_8));
  }

  /** As Go's http.Error: plain text with a newline behind it. */
  public static HttpResponse error(int status, String text) {
    return new HttpResponse(status, Map.of("Content-Type", PLAIN, "X-Content-Type-Options", "nosniff"), (text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  public static HttpResponse notFound() {
    return error(NOT_FOUND, "404 page not found");
  }

  public static HttpResponse methodNotAllowed(String allowed) {
    return error(METHOD_NOT_ALLOWED, "Method Not Allowed").with(Map.of("Allow", allowed));
  }

  public HttpResponse with(Map<String, String> more) {
    Map<String, String> all = new TreeMap<>(headers);
    all.putAll(more);
    return new HttpResponse(status, Map.copyOf(all), body);
  }
}
