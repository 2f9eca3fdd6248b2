package io.kvorum.operator.runtime.local;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Objects of one kind as YAML files of a folder, one an object, named after it. Stands for the API server: what was written is there after a crash, whole, old or new.
 *
 * @param <T> kind
 */
final class ObjectFiles<T extends HasMetadata> {
  private static final String SUFFIX = ".yaml";

  private final Path folder;
  private final Class<T> kind;

  ObjectFiles(Path folder, Class<T> kind) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.kind = kind;
  }

  Optional<T> get(String name) throws IOException {
    Path file = folder.resolve(name + SUFFIX);
    return Files.exists(file) ? Optional.of(Serialization.unmarshal(Files.readString(file), kind)) : Optional.empty();
  }

  List<T> all() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> sorted = files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
      List<T> objects = new ArrayList<>();
      for (Path file : sorted) {
        objects.add(Serialization.unmarshal(Files.readString(file), kind));
      }
      return objects;
    }
  }

  void put(T object) throws IOException {
    Processes.replace(folder.resolve(object.getMetadata().getName() + SUFFIX), Serialization.asYaml(object));
  }

  void delete(String name) throws IOException {
    Files.deleteIfExists(folder.resolve(name + SUFFIX));
  }
}
