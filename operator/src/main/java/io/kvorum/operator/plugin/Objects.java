package io.kvorum.operator.plugin;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.util.List;
import java.util.Optional;

/** The objects that the plugin reads, and the operations and backups that it asks for: on Kubernetes, or in the folder of a {@code kvorum up}. */
interface Objects extends AutoCloseable {

  List<KvorumCluster> clusters();

  Optional<KvorumCluster> cluster(String name);

  Optional<KvorumOperation> operation(String name);

  /** Asks for an operation; its name was made unique by the caller. */
  void create(KvorumOperation operation);

  /** The backups of a cluster, in no order. */
  List<KvorumBackup> backups(String cluster);

  Optional<KvorumBackup> backup(String name);

  /** Asks for a backup; its name was made unique by the caller. */
  void create(KvorumBackup backup);

  /** Throws a {@link PluginException} with the reason and the way out where no operator takes backups. */
  default void refuseBackups() {
    // An operator takes them.
  }

  @Override
  void close();
}
