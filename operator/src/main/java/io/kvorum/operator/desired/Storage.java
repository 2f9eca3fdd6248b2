package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.kvorum.operator.api.KvorumCluster;
import java.util.Map;

/** Volume claims. They have no owner: what happens to them is the operator's decision and never the garbage collector's. */
public final class Storage {
  private Storage() {}

  /**
   * The claim of a member.
   *
   * @param name of the claim
   * @param size what it asks for
   */
  public static PersistentVolumeClaim claim(KvorumCluster cluster, String member, String name, Quantity size) {
    return new PersistentVolumeClaimBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(Names.labels(cluster.getMetadata().getName(), member))
        .endMetadata()
        .withNewSpec()
        .withAccessModes("ReadWriteOnce")
        .withStorageClassName(cluster.getSpec().storage().storageClassName())
        .withNewResources()
        .withRequests(Map.of("storage", size))
        .endResources()
        .endSpec()
        .build();
  }

  /** A claim that begins with a copy of this one, where the storage can do that. */
  public static PersistentVolumeClaim copy(KvorumCluster cluster, String member, PersistentVolumeClaim original, String memberId) {
    return new PersistentVolumeClaimBuilder()
        .withNewMetadata()
        .withName(Names.copyOf(original.getMetadata().getName()))
        .withNamespace(original.getMetadata().getNamespace())
        .withLabels(Names.labels(cluster.getMetadata().getName()))
        .addToLabels(Names.FORMER_MEMBER, memberId.isEmpty() ? member : memberId)
        .endMetadata()
        .withNewSpec()
        .withAccessModes("ReadWriteOnce")
        .withStorageClassName(original.getSpec().getStorageClassName())
        .withNewDataSource()
        .withKind("PersistentVolumeClaim")
        .withName(original.getMetadata().getName())
        .endDataSource()
        .withNewResources()
        .withRequests(original.getSpec().getResources().getRequests())
        .endResources()
        .endSpec()
        .build();
  }
}
