package io.kvorum.server.front;

import java.util.List;
import java.util.Map;

/**
 * One whole HTTP request.
 *
 * @param method in capitals
 * @param path decoded, without the query
 * @param query values by name; a name without a value has an empty one
 * @param headers last value by lower-case name
 * @param body at most as long as the port allows
 * @param secure whether it came over TLS
 */
public record HttpRequest(String method, String path, Map<String, List<String>> query, Map<String, String> headers, byte[] body, boolean secure) {
  /** First value of a query parameter, or empty. */
  public String parameter(String name) {
    List<String> values = query.getOrDefault(name, List.of());
    return values.isEmpty() ? "" : values.getFirst();
  }

  /** A header's value, or empty. */
  public String header(String name) {
    return headers.getOrDefault(name, "");
  }
}
