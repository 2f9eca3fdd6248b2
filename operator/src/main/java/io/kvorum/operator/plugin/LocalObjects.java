package io.kvorum.operator.plugin;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.runtime.local.LocalFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

/** Of a cluster of this machine. */
final class LocalObjects implements Objects {
  private final LocalFolder folder;

  LocalObjects(Path data) {
    try {
      this.folder = LocalFolder.open(data);
    } catch (IOException e) {
      throw new PluginException(data + " is not the folder of a kvorum up");
    }
  }

  @Override
  public List<KvorumCluster> clusters() {
    return read(folder::clusters);
  }

  @Override
  public Optional<KvorumCluster> cluster(String name) {
    return clusters().stream().filter(cluster -> cluster.getMetadata().getName().equals(name)).findFirst();
  }

  @Override
  public Optional<KvorumOperation> operation(String name) {
    return read(() -> folder.operation(name));
  }

  @Override
  public void create(KvorumOperation operation) {
    read(
        () -> {
          folder.ask(operation);
          return null;
        });
  }

  @Override
  public List<KvorumBackup> backups(String cluster) {
    return List.of();
  }

  @Override
  public Optional<KvorumBackup> backup(String name) {
    refuseBackups();
    return Optional.empty();
  }

  @Override
  public void create(KvorumBackup backup) {
    refuseBackups();
  }

  /** There are no Jobs and no schedule here, and no other place for a backup than this machine's own disk: the store's command does the same in the open. */
  @Override
  public void refuseBackups() {
    throw new PluginException(
        "kvorum up runs no Jobs, so backups of a cluster on this machine are taken and restored by hand:"
            + " kvorum backup --endpoints=URL,... --destination=DIRECTORY, then kvorum restore --destination=DIRECTORY --latest --data-dir=NEW");
  }

  @Override
  public void close() {
    // Files are open during a call alone.
  }

  private static <T> T read(Callable<T> what) {
    try {
      return what.call();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
