package io.kvorum.server.cluster;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The flags that decide which cluster a member founds or joins at its first start.
 *
 * @param name --name
 * @param advertisePeerUrls --initial-advertise-peer-urls
 * @param initialCluster --initial-cluster: peer URLs by member name
 * @param token --initial-cluster-token
 * @param existing --initial-cluster-state=existing
 */
public record ClusterFlags(String name, List<String> advertisePeerUrls, Map<String, List<String>> initialCluster, String token, boolean existing) {
  public ClusterFlags {
    advertisePeerUrls = List.copyOf(advertisePeerUrls);
    initialCluster = Map.copyOf(initialCluster);
  }

  /**
   * Reads {@code name=url,name=url}; a name may come several times, with one URL each.
   *
   * @throws BootstrapException when malformed, or a URL appears twice
   */
  public static Map<String, List<String>> parseInitialCluster(String text) throws BootstrapException {
    Map<String, List<String>> byName = new TreeMap<>();
    for (String part : text.split(",")) {
      if (!part.isEmpty()) {
        int equals = part.indexOf('=');
        byName.computeIfAbsent(equals < 0 ? part : part.substring(0, equals), k -> new ArrayList<>()).add(equals < 0 ? "" : part.substring(equals + 1));
      }
    }
    Set<String> seen = new HashSet<>();
    for (Map.Entry<String, List<String>> entry : byName.entrySet()) {
      try {
        entry.setValue(PeerUrls.parse(entry.getValue()));
      } catch (IllegalArgumentException e) {
        throw new BootstrapException("error setting up initial cluster: " + e.getMessage());
      }
      for (String url : entry.getValue()) {
        if (!seen.add(url)) {
          throw new BootstrapException("initial cluster " + text + " has duplicate url");
        }
      }
    }
    return byName;
  }

  /** The initial cluster as it was written. */
  String initialClusterText() {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(initialCluster).forEach((k, urls) -> urls.forEach(url -> text.append(text.isEmpty() ? "" : ",").append(k).append('=').append(url)));
    return text.toString();
  }
}
