package io.kvorum.discovery;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Where the store is, and how to talk to it.
 *
 * @param endpoints {@code http://HOST:PORT}, {@code https://HOST:PORT}, {@code HOST:PORT} (in the clear) or {@code unix:///PATH}, at least one; turned to in their order
 * @param caFile trusted authorities of {@code https} in PEM form; null: those of the Java runtime
 * @param tokenFile whose content goes with each call as the token, read again for each; null: none
 */
public record StoreOptions(List<String> endpoints, Path caFile, Path tokenFile) {
  private static final String AGENT = "http://127.0.0.1:2379";

  public StoreOptions {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("no endpoints");
    }
    endpoints.forEach(Endpoint::parse);
  }

  /** In the clear, without a token. */
  public static StoreOptions of(String... endpoints) {
    return new StoreOptions(List.of(endpoints), null, null);
  }

  /** Of the process's environment, see {@link #fromEnvironment(Map)}. */
  public static StoreOptions fromEnvironment() {
    return fromEnvironment(System.getenv());
  }

  /**
   * {@code KVORUM_ENDPOINTS} (comma-separated, {@code http://127.0.0.1:2379} when not set: the pod's own agent), {@code KVORUM_CACERT} and {@code KVORUM_TOKEN_FILE}.
   *
   * @throws IllegalArgumentException if an endpoint has another form
   */
  public static StoreOptions fromEnvironment(Map<String, String> environment) {
    return new StoreOptions(
        split(environment.getOrDefault("KVORUM_ENDPOINTS", AGENT)), path(environment.get("KVORUM_CACERT")), path(environment.get("KVORUM_TOKEN_FILE")));
  }

  /** The same way to other endpoints. */
  StoreOptions with(List<String> others) {
    return new StoreOptions(others, caFile, tokenFile);
  }

  static List<String> split(String endpoints) {
    return Arrays.stream(endpoints.split(",")).map(String::strip).filter(endpoint -> !endpoint.isEmpty()).toList();
  }

  private static Path path(String name) {
    return name == null || name.isEmpty() ? null : Path.of(name);
  }
}
