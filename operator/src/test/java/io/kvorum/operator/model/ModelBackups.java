package io.kvorum.operator.model;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.desired.Names;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Backups of the modelled cluster. */
final class ModelBackups {
  private ModelBackups() {}

  /** Time passes. */
  static void tick(ModelWorld world) {
    world.backups.values().forEach(backup -> progress(world, backup));
  }

  /** The revision that the backup of this id ends with. */
  static long revisionOf(ModelWorld world, String id) {
    return world.backups.values().stream().map(KvorumBackup::known).filter(status -> status.artefact() != null && status.artefact().id().equals(id))
        .mapToLong(status -> status.artefact().toRevision()).findFirst().orElse(1000);
  }

  /** A backup's life without its Jobs: taken from a healthy member that no procedure has in hand, then verified; some fail. */
  private static void progress(ModelWorld world, KvorumBackup backup) {
    CurrentAction current = world.cluster.getStatus() == null ? null : world.cluster.getStatus().currentAction();
    String busy = current == null ? "" : current.member();
    KvorumBackupStatus status = backup.known();
    String request = backup.getMetadata().getAnnotations() == null ? "" : backup.getMetadata().getAnnotations().getOrDefault(Names.VERIFY, "");
    boolean asked = !request.isEmpty() && (status.verification() == null || !request.equals(status.verification().request()));
    if (status.phase() == KvorumBackupStatus.Phase.PENDING && world.store.quorum() && world.store.leader != 0 && current == null) {
      world.pods.keySet().stream().filter(name -> world.store.up(name) && !world.store.list.get(name).learner && !name.equals(busy)).findFirst()
          .ifPresent(source -> set(backup, Map.of("phase", "Running", "source", source)));
    } else if (status.phase() == KvorumBackupStatus.Phase.RUNNING && world.random.nextInt(4) == 0) {
      if (!world.store.up(status.source()) || (world.faults && world.random.nextInt(4) == 0)) {
        set(backup, Map.of("phase", "Failed", "completedAt", world.now.toString(), "message", "the model says so"));
      } else {
        set(backup, new HashMap<>(Map.of(
            "phase", backup.getSpec().verify() ? "Verifying" : "Completed", "completedAt", world.now.toString(), "destination", Map.of("s3", Map.of("bucket", "b")),
            "artefact", Map.of("id", backup.getMetadata().getName(), "toRevision", world.store.index, "clusterID", Long.toHexString(world.store.clusterId)))));
      }
    } else if (status.artefact() != null && (asked || (status.phase() == KvorumBackupStatus.Phase.VERIFYING && world.random.nextInt(4) == 0))) {
      backup.setStatus(verified(world, status, request));
    }
  }

  private static KvorumBackupStatus verified(ModelWorld world, KvorumBackupStatus from, String request) {
    return new KvorumBackupStatus(
        KvorumBackupStatus.Phase.VERIFIED, from.type(), from.startedAt(), from.heartbeatAt(), from.completedAt(), from.source(), from.destination(), "", "",
        from.artefact(), new KvorumBackupStatus.Verification(world.now.toString(), from.artefact().toRevision(), true, 1.0, request, ""), "", 0, "", "", "", List.of());
  }

  private static void set(KvorumBackup backup, Map<String, Object> status) {
    backup.setStatus(Specs.of(status, KvorumBackupStatus.class));
  }
}
