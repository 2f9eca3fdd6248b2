package io.kvorum.operator.plugin;

import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.util.List;
import java.util.Optional;

/** The objects that the plugin reads and the one kind that it writes: on Kubernetes, or in the folder of a {@code kvorum up}. */
interface Objects extends AutoCloseable {

  List<KvorumCluster> clusters();

  Optional<KvorumCluster> cluster(String name);

  Optional<KvorumOperation> operation(String name);

  /** Asks for an operation; its name was made unique by the caller. */
  void create(KvorumOperation operation);

  @Override
  void close();
}
