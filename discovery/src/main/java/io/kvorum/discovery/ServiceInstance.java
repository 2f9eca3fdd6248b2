package io.kvorum.discovery;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One instance of a service.
 *
 * @param key under which it is registered, {@code services/orders/orders-1}
 * @param address {@code HOST:PORT}, an IPv6 address in brackets
 * @param metadata what it says of itself, by name; empty when it says nothing. Values that are no text are given as JSON
 */
public record ServiceInstance(String key, String address, Map<String, String> metadata) {
  private static final int PORT_MAX = 65_535;

  public ServiceInstance {
    metadata = Map.copyOf(metadata);
    if (portOf(address) < 0) {
      throw new IllegalArgumentException("not HOST:PORT: " + address);
    }
  }

  /** The last part of the key: the pod's name. */
  public String name() {
    return key.substring(key.lastIndexOf('/') + 1);
  }

  /** Without brackets. */
  public String host() {
    String host = address.substring(0, address.lastIndexOf(':'));
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** From 1 to 65535. */
  public int port() {
    return portOf(address);
  }

  /** Its share among the instances: {@code weight} of the metadata, 1 when there is none or it is no positive number. */
  public int weight() {
    try {
      return Math.max(1, Integer.parseInt(metadata.getOrDefault("weight", "1")));
    } catch (NumberFormatException none) {
      return 1;
    }
  }

  /** Where it runs: {@code zone} of the metadata. */
  public Optional<String> zone() {
    return Optional.ofNullable(metadata.get("zone"));
  }

  /** What it runs: {@code version} of the metadata. */
  public Optional<String> version() {
    return Optional.ofNullable(metadata.get("version"));
  }

  /** -1 when the address has none. */
  private static int portOf(String address) {
    int colon = address.lastIndexOf(':');
    String host = colon < 0 ? "" : address.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]") && host.length() > 2;
    if (host.isEmpty() || !bracketed && (host.indexOf(':') >= 0 || host.startsWith("["))) {
      return -1;
    }
    try {
      int port = Integer.parseInt(address.substring(colon + 1));
      return port > 0 && port <= PORT_MAX ? port : -1;
    } catch (NumberFormatException none) {
      return -1;
    }
  }

  /** As it is stored: {@code {"Op":0,"Addr":"HOST:PORT","Metadata":{...}}}; {@code Metadata} is null when there is none. */
  public String toJson() {
    Gson gson = new GsonBuilder().serializeNulls().create();
    JsonObject json = new JsonObject();
    json.addProperty("Op", 0);
    json.addProperty("Addr", address);
    json.add("Metadata", metadata.isEmpty() ? null : gson.toJsonTree(metadata));
    return gson.toJson(json);
  }

  /**
   * Of what is stored. As Go does, names are taken in any case.
   *
   * @return empty when it is no endpoint
   */
  static Optional<ServiceInstance> parse(String key, String value) {
    try {
      JsonElement json = JsonParser.parseString(value);
      if (!json.isJsonObject()) {
        return Optional.empty();
      }
      JsonElement address = field(json.getAsJsonObject(), "Addr");
      if (address == null || !address.isJsonPrimitive() || portOf(address.getAsString()) < 0) {
        return Optional.empty();
      }
      return Optional.of(new ServiceInstance(key, address.getAsString(), metadata(field(json.getAsJsonObject(), "Metadata"))));
    } catch (JsonParseException broken) {
      return Optional.empty();
    }
  }

  private static JsonElement field(JsonObject json, String name) {
    for (Map.Entry<String, JsonElement> field : json.entrySet()) {
      if (field.getKey().equalsIgnoreCase(name)) {
        return field.getValue();
      }
    }
    return null;
  }

  private static Map<String, String> metadata(JsonElement json) {
    Map<String, String> metadata = new LinkedHashMap<>();
    if (json != null && json.isJsonObject()) {
      json.getAsJsonObject().asMap().forEach((name, value) -> metadata.put(name, value.isJsonPrimitive() ? value.getAsString() : value.toString()));
    }
    return metadata;
  }
}
