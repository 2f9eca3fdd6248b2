package io.kvorum.server.agent.dns;

import com.google.protobuf.ByteString;
import io.kvorum.server.agent.registration.Endpoint;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Services and their instances, from the entries under a prefix. One thread changes it, any may ask; a service's instances are replaced as a whole. Holds {@value #INSTANCES_MAX} instances at most;
 * what comes beyond is passed over until there is room and it changes.
 */
final class ServiceMap implements ServiceTable {
  static final int INSTANCES_MAX = 100_000;

  private final String prefix;
  private final Map<String, SortedMap<String, ServiceInstance>> byService = new HashMap<>();
  private final Map<String, List<ServiceInstance>> shown = new ConcurrentHashMap<>();
  private int instances;
  private volatile int shownInstances;
  private volatile long serial;
  private volatile boolean known;

  /** @param prefix with a slash at its end, or empty */
  ServiceMap(String prefix) {
    this.prefix = prefix;
  }

  private record Place(String service, String key, String instance) {}

  /** Empty for a key that is no PREFIX SERVICE/INSTANCE, or whose service cannot be asked for. */
  private Optional<Place> place(ByteString key) {
    String text = key.toStringUtf8();
    if (!text.startsWith(prefix)) {
      return Optional.empty();
    }
    int slash = text.indexOf('/', prefix.length());
    if (slash < 0 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
      return Optional.empty();
    }
    String service = text.substring(prefix.length(), slash).toLowerCase(Locale.ROOT);
    return DnsNames.isLabel(service) ? Optional.of(new Place(service, text, text.substring(slash + 1))) : Optional.empty();
  }

  /** An entry is there, or has changed. Returns whether DNS can tell of it. */
  boolean put(ByteString key, ByteString value) {
    Optional<Place> place = place(key);
    if (place.isEmpty()) {
      return false;
    }
    Optional<ServiceInstance> instance = Endpoint.parse(value.toStringUtf8()).flatMap(endpoint -> ServiceInstance.of(place.get().instance(), endpoint));
    if (instance.isEmpty()) {
      delete(key);
      return false;
    }
    SortedMap<String, ServiceInstance> service = byService.computeIfAbsent(place.get().service(), name -> new TreeMap<>());
    if (instances >= INSTANCES_MAX && !service.containsKey(place.get().key())) {
      show(place.get().service());
      return false;
    }
    if (service.put(place.get().key(), instance.get()) == null) {
      instances++;
    }
    show(place.get().service());
    return true;
  }

  /** An entry has gone. */
  void delete(ByteString key) {
    place(key).ifPresent(
        place -> {
          SortedMap<String, ServiceInstance> service = byService.get(place.service());
          if (service != null && service.remove(place.key()) != null) {
            instances--;
            show(place.service());
          }
        });
  }

  /** Takes over all of another map, which is used no more. */
  void replace(ServiceMap other) {
    byService.clear();
    byService.putAll(other.byService);
    instances = other.instances;
    shown.keySet().retainAll(byService.keySet());
    byService.keySet().forEach(this::show);
    shownInstances = instances;
  }

  private void show(String service) {
    SortedMap<String, ServiceInstance> now = byService.get(service);
    if (now == null || now.isEmpty()) {
      byService.remove(service);
      shown.remove(service);
    } else {
      shown.put(service, List.copyOf(now.values()));
    }
    shownInstances = instances;
  }

  /** What is there is of this revision. */
  void reached(long revision) {
    serial = revision;
    known = true;
  }

  /** Nothing may be told any more. */
  void forget() {
    known = false;
    byService.clear();
    shown.clear();
    instances = 0;
    shownInstances = 0;
  }

  @Override
  public boolean isKnown() {
    return known;
  }

  @Override
  public List<ServiceInstance> instances(String service) {
    return shown.getOrDefault(service, List.of());
  }

  @Override
  public long serial() {
    return serial;
  }

  int services() {
    return shown.size();
  }

  int size() {
    return shownInstances;
  }
}
