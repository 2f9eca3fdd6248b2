package io.kvorum.server.agent.dns;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.server.agent.registration.Endpoint;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServiceMapTest {
  private static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static ByteString endpoint(String address) {
    return bytes(new Endpoint(address, Map.of()).toJson());
  }

  /** Against a map of all entries that is gone through at each question. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void tells_what_is_there_after_any_changes(long seed) {
    Random random = new Random(seed);
    ServiceMap map = new ServiceMap("s/");
    TreeMap<String, String> model = new TreeMap<>();
    for (int step = 0; step < 3_000; step++) {
      String service = List.of("a", "b", "B", "bad.name").get(random.nextInt(4));
      String key = "s/" + service + "/" + random.nextInt(4);
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3, 4 -> {
          String address = random.nextInt(8) == 0 ? "nonsense:" : "10.0.0." + random.nextInt(200) + ":1";
          map.put(bytes(key), endpoint(address));
          model.put(key, address);
        }
        case 5, 6, 7 -> {
          map.delete(bytes(key));
          model.remove(key);
        }
        case 8 -> {
          ServiceMap fresh = new ServiceMap("s/");
          model.keySet().removeIf(any -> random.nextInt(3) == 0);
          model.forEach((place, address) -> fresh.put(bytes(place), endpoint(address)));
          map.replace(fresh);
        }
        default -> map.put(bytes("s/x"), endpoint("10.0.0.1:1"));
      }
      for (String asked : List.of("a", "b", "bad.name", "x")) {
        assertThat(map.instances(asked).stream().map(ServiceInstance::host).toList()).as("seed %d step %d", seed, step).isEqualTo(expected(model, asked));
      }
      assertThat(map.size()).isEqualTo(expected(model, "a").size() + expected(model, "b").size());
    }
  }

  private static List<String> expected(TreeMap<String, String> model, String service) {
    if (service.contains(".")) {
      return List.of();
    }
    return model.entrySet().stream()
        .filter(entry -> entry.getKey().toLowerCase(java.util.Locale.ROOT).startsWith("s/" + service + "/") && !entry.getValue().equals("nonsense:"))
        .map(entry -> entry.getValue().substring(0, entry.getValue().indexOf(':')))
        .toList();
  }

  @Test
  void keys_of_other_shapes_are_no_instances() {
    ServiceMap map = new ServiceMap("services/");
    for (String key : List.of("services/", "services/web", "services/web/", "services//a", "services/web/a/b", "other/web/a", "service/web/a")) {
      assertThat(map.put(bytes(key), endpoint("10.0.0.1:1"))).as(key).isFalse();
    }
    assertThat(map.size()).isZero();
    assertThat(map.isKnown()).isFalse();
  }
}
