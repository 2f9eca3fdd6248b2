package io.kvorum.operator.runtime.local;

import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The objects of a cluster on this machine as another process sees them: it reads all and adds operations. */
public final class LocalFolder {
  private final ObjectFiles<KvorumCluster> clusters;
  private final ObjectFiles<KvorumOperation> operations;

  private LocalFolder(Path root) throws IOException {
    this.clusters = new ObjectFiles<>(root.resolve("cluster"), KvorumCluster.class);
    this.operations = new ObjectFiles<>(root.resolve("operations"), KvorumOperation.class);
  }

  /**
   * Opens the folder of a {@code kvorum up}.
   *
   * @throws NoSuchFileException when it is not one
   */
  public static LocalFolder open(Path root) throws IOException {
    if (!Files.isDirectory(root.resolve("cluster"))) {
      throw new NoSuchFileException(root.toString());
    }
    return new LocalFolder(root);
  }

  public List<KvorumCluster> clusters() throws IOException {
    return clusters.all();
  }

  public Optional<KvorumOperation> operation(String name) throws IOException {
    return operations.get(name);
  }

  /** Asks for an operation; the next pass finds it. */
  public void ask(KvorumOperation operation) throws IOException {
    operations.put(operation);
  }
}
