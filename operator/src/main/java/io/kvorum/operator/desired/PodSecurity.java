package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSecurityContextBuilder;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;

/** What the restricted Pod Security Standard asks for. */
public final class PodSecurity {
  /** User and group of the members' image. */
  private static final long USER = 1001;

  private PodSecurity() {}

  /** @param wanted what the user set; absent fields get the defaults */
  static PodSecurityContext pod(PodSecurityContext wanted) {
    PodSecurityContextBuilder context = wanted == null ? new PodSecurityContextBuilder() : new PodSecurityContextBuilder(wanted);
    if (context.getRunAsNonRoot() == null) {
      context.withRunAsNonRoot(true);
    }
    if (context.getRunAsUser() == null) {
      context.withRunAsUser(USER);
    }
    if (context.getRunAsGroup() == null) {
      context.withRunAsGroup(USER);
    }
    if (context.getFsGroup() == null) {
      context.withFsGroup(USER);
    }
    if (context.getFsGroupChangePolicy() == null) {
      context.withFsGroupChangePolicy("OnRootMismatch");
    }
    if (context.buildSeccompProfile() == null) {
      context.withNewSeccompProfile().withType("RuntimeDefault").endSeccompProfile();
    }
    return context.build();
  }

  static SecurityContext container() {
    return new SecurityContextBuilder()
        .withAllowPrivilegeEscalation(false)
        .withReadOnlyRootFilesystem(true)
        .withNewCapabilities()
        .withDrop("ALL")
        .endCapabilities()
        .build();
  }

  /** Of a container in a pod of somebody else's: everything that the pod itself may have set otherwise. */
  public static SecurityContext sidecar() {
    return new SecurityContextBuilder(container())
        .withRunAsNonRoot(true)
        .withRunAsUser(USER)
        .withRunAsGroup(USER)
        .withPrivileged(false)
        .withNewSeccompProfile()
        .withType("RuntimeDefault")
        .endSeccompProfile()
        .build();
  }
}
