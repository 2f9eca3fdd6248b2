package io.kvorum.operator.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.kvorum.operator.api.KvorumClusterSpec;
import java.util.HashMap;
import java.util.Map;

/** Specifications for tests, made and edited as a user's file would be. */
public final class Specs {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Specs() {}

  /** Three small members that are given up soon, so that a test's clock need not run for days. */
  public static KvorumClusterSpec base() {
    return JSON.convertValue(
        Map.of(
            "replicas", 3, "version", "0.1.0", "storage", Map.of("size", "1Gi"),
            "update", Map.of("minReadySeconds", 2, "progressDeadlineSeconds", 120),
            "healing", Map.of("recreateAfter", "20s", "replaceAfter", "60s", "maxAttempts", 2)),
        KvorumClusterSpec.class);
  }

  /** The specification with top-level fields replaced; null removes one. */
  public static KvorumClusterSpec with(KvorumClusterSpec spec, String field, Object value) {
    @SuppressWarnings("unchecked")
    Map<String, Object> fields = new HashMap<>(JSON.convertValue(spec, Map.class));
    fields.put(field, value);
    return JSON.convertValue(fields, KvorumClusterSpec.class);
  }

  /** Any other kind from a map. */
  public static <T> T of(Map<String, Object> fields, Class<T> type) {
    return JSON.convertValue(fields, type);
  }
}
