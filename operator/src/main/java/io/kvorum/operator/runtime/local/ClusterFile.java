package io.kvorum.operator.runtime.local;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.TlsSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the wanted cluster from a file, and refuses what an API server would refuse and what this machine cannot do. */
final class ClusterFile {
  private static final Set<Integer> SIZES = Set.of(1, 3, 5, 7);
  private static final Set<TlsSpec.Mode> OWN = Set.of(TlsSpec.Mode.MANAGED, TlsSpec.Mode.DISABLED);
  private static final int MAX_NAME = 40;
  private static final long MIN_VOLUME = 64L << 20;

  private ClusterFile() {}

  /** A file that cannot be followed; one line for the user. The cluster stays as it was. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  /** A cluster of defaults for a laptop: plain text on loopback, nothing waits between two steps. */
  static KvorumCluster defaults(int members, String version) {
    return parse(
        """
        apiVersion: kvorum.io/v1alpha1
        kind: KvorumCluster
        metadata:
          name: kvorum
        spec:
          replicas: %d
          version: "%s"
          storage:
            size: 8Gi
          tls:
            client: {mode: Disabled}
            peer: {mode: Disabled}
          update:
            minReadySeconds: 0
        """
            .formatted(members, version));
  }

  private static KvorumCluster parse(String text) {
    return Serialization.unmarshal(text, KvorumCluster.class);
  }

  /**
   * Reads a file.
   *
   * @param before the specification that counts so far, null for a new cluster
   */
  static KvorumCluster read(Path file, KvorumClusterSpec before, Builds builds) throws IOException, RefusedException {
    KvorumCluster cluster;
    try {
      cluster = parse(Files.readString(file));
    } catch (IllegalArgumentException | ClassCastException e) {
      throw new RefusedException(file.getFileName() + " is no KvorumCluster: " + firstLine(e.getMessage()));
    }
    List<String> faults = faults(cluster, before, builds);
    if (!faults.isEmpty()) {
      throw new RefusedException(file.getFileName() + ": " + String.join("; ", faults));
    }
    if (cluster.getMetadata() == null) {
      cluster.setMetadata(new ObjectMetaBuilder().build());
    }
    return cluster;
  }

  private static List<String> faults(KvorumCluster cluster, KvorumClusterSpec before, Builds builds) {
    List<String> faults = new ArrayList<>();
    KvorumClusterSpec spec = cluster.getSpec();
    if (spec == null) {
      return List.of("spec is missing");
    }
    String name = cluster.getMetadata() == null ? null : cluster.getMetadata().getName();
    if (name == null || name.isEmpty() || name.length() > MAX_NAME) {
      faults.add("metadata.name has 1 to " + MAX_NAME + " characters");
    }
    if (!SIZES.contains(spec.replicas())) {
      faults.add("spec.replicas is 1, 3, 5 or 7");
    }
    if (builds.launcher(spec.version()).isEmpty()) {
      faults.add("spec.version " + spec.version() + " is not built here; there is " + String.join(", ", builds.launchers().keySet()));
    }
    if (spec.storage() == null || spec.storage().size() == null || spec.storage().bytes() < MIN_VOLUME) {
      faults.add("spec.storage.size is at least 64Mi");
    }
    if (!OWN.contains(spec.tls().client().mode()) || !OWN.contains(spec.tls().peer().mode())) {
      faults.add("certificates on this machine are the operator's own: set spec.tls.client.mode and spec.tls.peer.mode to Managed or Disabled");
    }
    if (spec.wantsAuth() && !spec.tls().client().on()) {
      faults.add("auth needs TLS for clients");
    }
    if (spec.auth() != null && spec.auth().rootCredentialsSecretRef() != null) {
      faults.add("spec.auth.rootCredentialsSecretRef is for Kubernetes: the password is in the file root-password of the cluster's folder");
    }
    if (spec.backup() != null || spec.bootstrap() != null || spec.wantsFinalBackup()) {
      faults.add(
          "no Jobs run on this machine, so spec.backup, spec.bootstrap and spec.deletion.finalBackup are for Kubernetes;"
              + " here kvorum backup --endpoints=URL --destination=DIRECTORY takes a backup");
    }
    if (before != null) {
      changes(spec, before, faults);
    }
    return faults;
  }

  /** What of a new specification cannot follow the one that counts so far. */
  static List<String> changes(KvorumClusterSpec spec, KvorumClusterSpec before) {
    List<String> faults = new ArrayList<>();
    changes(spec, before, faults);
    return faults;
  }

  private static void changes(KvorumClusterSpec spec, KvorumClusterSpec before, List<String> faults) {
    if (spec.storage() != null && spec.storage().size() != null && spec.storage().bytes() < before.storage().bytes()) {
      faults.add("volumes only grow");
    }
    if (spec.tls().client().on() != before.tls().client().on() || spec.tls().peer().on() != before.tls().peer().on()) {
      faults.add("TLS cannot be switched on or off later on this machine");
    }
  }

  private static String firstLine(String text) {
    return text == null ? "unreadable" : text.lines().findFirst().orElse("unreadable");
  }
}
