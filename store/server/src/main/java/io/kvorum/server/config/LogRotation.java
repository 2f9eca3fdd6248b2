package io.kvorum.server.config;

import io.kvorum.server.logging.Rotation;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** {@code --log-rotation-config-json}: how the one log file is rotated. Unknown keys are ignored, as in etcd. */
final class LogRotation {
  private static final int DEFAULT_MEGABYTES = 100;
  private static final long MEGABYTE = 1 << 20;
  private static final List<String> STREAMS = List.of("default", "stderr", "stdout");

  private LogRotation() {}

  /**
   * @param outputs where the log goes; one of them is a file
   * @throws ConfigException with etcd's text, the place of a syntax error excepted
   */
  static Rotation parse(List<String> outputs, String json) throws ConfigException {
    long files = outputs.stream().filter(output -> !STREAMS.contains(output)).count();
    if (outputs.size() <= 1 && files == 0 || files > 1) {
      throw new ConfigException("--log-outputs requires a single file path when --log-rotate-config-json is defined");
    }
    Map<?, ?> values = read(json);
    int megabytes = number(values, "maxsize");
    return new Rotation(
        (megabytes == 0 ? DEFAULT_MEGABYTES : megabytes) * MEGABYTE, number(values, "maxage"), number(values, "maxbackups"), truth(values, "localtime"), truth(values, "compress"));
  }

  private static Map<?, ?> read(String json) throws ConfigException {
    try {
      // JSON is YAML, and a reader of that is there already.
      if (json.strip().startsWith("{") && new Yaml(new SafeConstructor(new LoaderOptions())).load(json) instanceof Map<?, ?> map) {
        return map;
      }
    } catch (YAMLException broken) {
      throw new ConfigException("improperly formatted log rotation config: " + broken.getMessage().lines().findFirst().orElse(""));
    }
    throw new ConfigException(json.isBlank() ? "improperly formatted log rotation config: unexpected end of JSON input" : "improperly formatted log rotation config: not an object");
  }

  private static int number(Map<?, ?> values, String key) throws ConfigException {
    return switch (values.get(key)) {
      case null -> 0;
      case Integer number -> number;
      case Object other -> throw mismatch(key, other, "int");
    };
  }

  private static boolean truth(Map<?, ?> values, String key) throws ConfigException {
    return switch (values.get(key)) {
      case null -> false;
      case Boolean truth -> truth;
      case Object other -> throw mismatch(key, other, "bool");
    };
  }

  private static ConfigException mismatch(String key, Object value, String type) {
    String found = value instanceof String ? "string" : value instanceof Boolean ? "bool" : value instanceof Number ? "number" : "object";
    return new ConfigException("invalid log rotation config: json: cannot unmarshal " + found + " into Go struct field logRotationConfig.Logger." + key + " of type " + type);
  }
}
