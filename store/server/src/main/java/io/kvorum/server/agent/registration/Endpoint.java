package io.kvorum.server.agent.registration;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The value of a registration, as clientv3's {@code naming/endpoints} writes and reads it: {@code {"Op":0,"Addr":"10.0.0.1:8080","Metadata":{"zone":"a"}}}.
 *
 * @param address what clients dial, usually HOST:PORT
 * @param metadata about the instance; of what others wrote, the texts, numbers and booleans at the top level, as texts
 */
public record Endpoint(String address, SortedMap<String, String> metadata) {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().setStrictness(Strictness.STRICT).create();
  private static final String OPERATION = "Op";
  private static final String ADDRESS = "Addr";
  private static final String METADATA = "Metadata";

  public Endpoint {
    metadata = Collections.unmodifiableSortedMap(new TreeMap<>(metadata));
  }

  public Endpoint(String address, Map<String, String> metadata) {
    this(address, (SortedMap<String, String>) new TreeMap<>(metadata));
  }

  /** Byte for byte what Go's encoder writes for the same content: names in order, no metadata as null. */
  public String toJson() {
    JsonObject update = new JsonObject();
    update.addProperty(OPERATION, 0);
    update.addProperty(ADDRESS, address);
    JsonObject more = new JsonObject();
    metadata.forEach(more::addProperty);
    update.add(METADATA, metadata.isEmpty() ? JsonNull.INSTANCE : more);
    // Go escapes these three wherever they are; outside of texts JSON has none.
    return GSON.toJson(update).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
  }

  /**
   * Reads what a client wrote, by Go's rules: names in any case, unknown ones ignored.
   *
   * @return empty for what Go's resolver would skip too, and for an entry without an address
   */
  public static Optional<Endpoint> parse(String json) {
    JsonElement parsed;
    try {
      parsed = GSON.fromJson(json, JsonElement.class);
    } catch (JsonParseException e) {
      return Optional.empty();
    }
    if (parsed == null || !parsed.isJsonObject()) {
      return Optional.empty();
    }
    String address = "";
    SortedMap<String, String> metadata = new TreeMap<>();
    for (Map.Entry<String, JsonElement> field : parsed.getAsJsonObject().entrySet()) {
      switch (field.getKey().toLowerCase(Locale.ROOT)) {
        case "op" -> {
          if (!isOperation(field.getValue())) {
            return Optional.empty();
          }
        }
        case "addr" -> {
          if (field.getValue().isJsonNull()) {
            continue;
          }
          if (!field.getValue().isJsonPrimitive() || !field.getValue().getAsJsonPrimitive().isString()) {
            return Optional.empty();
          }
          address = field.getValue().getAsString();
        }
        case "metadata" -> metadata = flat(field.getValue());
        default -> {}
      }
    }
    return address.isEmpty() ? Optional.empty() : Optional.of(new Endpoint(address, metadata));
  }

  /** What a put says of its operation is not looked at by Go either, but it has to be a small number. */
  private static boolean isOperation(JsonElement value) {
    return value.isJsonNull() || (value.isJsonPrimitive() && value.getAsString().matches("[0-9]{1,3}") && !value.getAsJsonPrimitive().isString());
  }

  private static SortedMap<String, String> flat(JsonElement metadata) {
    SortedMap<String, String> flat = new TreeMap<>();
    if (metadata.isJsonObject()) {
      metadata.getAsJsonObject().entrySet().stream()
          .filter(field -> field.getValue() instanceof JsonPrimitive)
          .forEach(field -> flat.put(field.getKey(), field.getValue().getAsString()));
    }
    return flat;
  }
}
