package io.kvorum.operator.runtime;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.kvorum.operator.api.KvorumCluster;
import java.util.Map;
import java.util.Set;

/** Where a cluster's secrets are kept, and what goes with them. */
public interface SecretStore {

  /** The secrets that belong to the cluster, and those of these names, by name; what does not exist is left out. */
  Map<String, Secret> read(KvorumCluster cluster, Set<String> named);

  /** Writes an object when it is another one than before. */
  void apply(HasMetadata wanted);
}
