package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Storage;
import java.util.Map;

/**
 * Copies of claims, which only a CSI driver that binds at once can make before the original changes. Elsewhere the claim is marked as one that cannot be copied, and
 * the recovery, whose user has acknowledged the loss of data, goes on without.
 */
final class ClaimCopies {
  /** Annotation of a claim whose storage makes no copies. */
  static final String NO_COPY = "kvorum.io/no-copy";

  private final KubernetesClient client;
  private final Writes writes;

  ClaimCopies(KubernetesClient client, Writes writes) {
    this.client = client;
    this.writes = writes;
  }

  static boolean isCopy(PersistentVolumeClaim claim) {
    return claim.getMetadata().getName().endsWith(Names.copyOf(""));
  }

  void copy(KvorumCluster cluster, String member, PersistentVolumeClaim original, String memberId) {
    if (canCopy(original.getSpec().getStorageClassName())) {
      writes.create(Storage.copy(cluster, member, original, memberId));
    } else {
      writes.annotate(original, Map.of(NO_COPY, "the storage class makes no copies at once"));
    }
  }

  private boolean canCopy(String name) {
    StorageClass storage = name == null || name.isEmpty() ? null : client.storage().v1().storageClasses().withName(name).get();
    return storage != null
        && !"WaitForFirstConsumer".equals(storage.getVolumeBindingMode())
        && client.storage().v1().csiDrivers().withName(storage.getProvisioner()).get() != null;
  }
}
