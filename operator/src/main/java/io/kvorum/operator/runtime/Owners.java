package io.kvorum.operator.runtime;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;

/** Owner references. */
public final class Owners {
  private Owners() {}

  /** By this object, which is the only one. */
  public static OwnerReference controlledBy(HasMetadata owner) {
    return new OwnerReferenceBuilder()
        .withApiVersion(owner.getApiVersion())
        .withKind(owner.getKind())
        .withName(owner.getMetadata().getName())
        .withUid(owner.getMetadata().getUid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .build();
  }

  /** Whether the owner with this very uid controls the object. */
  public static boolean isOwner(HasMetadata owner, HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream().anyMatch(one -> one.getUid().equals(owner.getMetadata().getUid()));
  }
}
