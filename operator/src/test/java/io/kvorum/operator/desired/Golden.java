package io.kvorum.operator.desired;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Compares an object with the YAML that is checked in under src/test/resources/golden; {@code -Dgolden.write} writes it anew, for the reviewer to read. */
public final class Golden {
  private static final Path FOLDER = Path.of("src/test/resources/golden");

  private Golden() {}

  public static void matches(String name, Object object) {
    Path file = FOLDER.resolve(name + ".yaml");
    String text = Serialization.asYaml(sorted(Serialization.jsonMapper().convertValue(object, Object.class)));
    try {
      if (System.getProperty("golden.write") != null) {
        Files.createDirectories(FOLDER);
        Files.writeString(file, text);
      }
      assertThat(text).as("%s; -Dgolden.write writes it anew", file).isEqualTo(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The builders promise no order of keys. */
  private static Object sorted(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        TreeMap<String, Object> keys = new TreeMap<>();
        map.forEach((key, one) -> keys.put(String.valueOf(key), sorted(one)));
        yield keys;
      }
      case List<?> list -> list.stream().map(Golden::sorted).toList();
      case null -> null;
      default -> value;
    };
  }
}
