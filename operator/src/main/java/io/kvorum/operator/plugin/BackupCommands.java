package io.kvorum.operator.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.BootstrapSpec;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.status.TextTable;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** What the plugin does with backups: asks for one and follows it, lists them, and writes the cluster that one is restored into. */
final class BackupCommands {
  /** A run has its own deadline; after this the operator is not running. */
  private static final Duration FOLLOWED = Duration.ofHours(24);

  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Lines of a cluster's status. */
  private static final int SHOWN = 10;

  private final Objects objects;
  private final PrintWriter out;

  BackupCommands(Objects objects, PrintWriter out) {
    this.objects = objects;
    this.out = out;
  }

  /**
   * Asks for a backup.
   *
   * @return its name
   */
  String ask(KvorumCluster cluster, KvorumBackupSpec.Type type, boolean verify, KvorumBackupSpec.DeletionPolicy policy) {
    if (cluster.getSpec().backup() == null || cluster.getSpec().backup().destination() == null) {
      objects.refuseBackups();
      throw new PluginException(
          "cluster " + cluster.getMetadata().getName() + " names no place for backups: set spec.backup.destination to one of s3, gcs and pvc");
    }
    KvorumBackup backup = new KvorumBackup();
    String name = cluster.getMetadata().getName() + "-" + UUID.randomUUID().toString().substring(0, 8);
    backup.setMetadata(new ObjectMetaBuilder().withName(name).build());
    backup.setSpec(new KvorumBackupSpec(cluster.getMetadata().getName(), type, null, null, verify, policy));
    objects.create(backup);
    out.println("backup " + name + " asked for");
    out.flush();
    return name;
  }

  /** Shows each step until the backup has come to its end, its verification included when one was asked for. */
  int follow(String name, boolean verify) throws InterruptedException {
    String shown = "";
    long limit = System.nanoTime() + FOLLOWED.toNanos();
    while (System.nanoTime() - limit < 0) {
      KvorumBackupStatus status = objects.backup(name).orElseThrow(() -> new PluginException("backup " + name + " was deleted")).known();
      String line = (StatusText.word(status.phase()) + "  " + status.message()).stripTrailing();
      if (!line.equals(shown)) {
        out.println(line);
        out.flush();
        shown = line;
      }
      if (status.phase() == Phase.FAILED) {
        return 1;
      }
      if (status.phase() == Phase.VERIFIED || status.phase() == Phase.COMPLETED && !verify) {
        KvorumBackupStatus.Artefact artefact = status.artefact();
        out.println(artefact.uri() + "  revision " + artefact.toRevision() + "  " + status.size() + (verify ? "  restored and equal" : ""));
        return 0;
      }
      TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
    }
    throw new PluginException("backup " + name + " did not come to its end; is the operator running?");
  }

  /** The newest backups of a cluster, one line each; empty for none. */
  static String table(List<KvorumBackup> backups) {
    if (backups.isEmpty()) {
      return "";
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("BACKUP", "TYPE", "PHASE", "REVISION", "SIZE", "VERIFIED", "COMPLETED", "NOTE"));
    backups.stream()
        .sorted(Comparator.comparing((KvorumBackup backup) -> created(backup)).reversed())
        .limit(SHOWN)
        .forEach(backup -> rows.add(row(backup)));
    String more = backups.size() > SHOWN ? "and " + (backups.size() - SHOWN) + " older ones\n" : "";
    return TextTable.render(rows) + more;
  }

  private static String created(KvorumBackup backup) {
    return backup.getMetadata().getCreationTimestamp() == null ? "" : backup.getMetadata().getCreationTimestamp();
  }

  private static List<String> row(KvorumBackup backup) {
    KvorumBackupStatus status = backup.known();
    String verified = status.condition(KvorumBackupStatus.VERIFIED).map(condition -> StatusText.word(condition.status())).orElse("-");
    return List.of(
        backup.getMetadata().getName(), StatusText.word(status.type() == null ? backup.getSpec().type() : status.type()), StatusText.word(status.phase()),
        status.artefact() == null ? "-" : Long.toString(status.artefact().toRevision()), either(status.size()), verified, either(status.completedAt()),
        status.phase().isFinal() && status.phase() != Phase.FAILED ? "" : status.message());
  }

  private static String either(String text) {
    return text.isEmpty() ? "-" : text;
  }

  /** The backup to restore; what cannot be restored is refused with the reason. */
  KvorumBackup restorable(String cluster, String name) {
    KvorumBackup backup = objects.backup(name).orElseThrow(() -> new PluginException("there is no backup " + name));
    if (!backup.getSpec().clusterRef().equals(cluster)) {
      throw new PluginException("backup " + name + " is of cluster " + backup.getSpec().clusterRef());
    }
    if (!backup.known().usable()) {
      throw new PluginException("backup " + name + " cannot be restored: it is " + StatusText.word(backup.known().phase()) + " " + backup.known().message());
    }
    return backup;
  }

  /** A new cluster like this one that begins with the backup, as {@code kubectl apply} takes it. */
  static String manifest(KvorumCluster cluster, String name, String backup, BootstrapSpec.Target target) {
    ObjectNode document = Serialization.jsonMapper().createObjectNode();
    document.put("apiVersion", Api.GROUP + "/" + Api.VERSION).put("kind", "KvorumCluster");
    ObjectNode metadata = document.putObject("metadata").put("name", name);
    if (cluster.getMetadata().getNamespace() != null) {
      metadata.put("namespace", cluster.getMetadata().getNamespace());
    }
    ObjectNode spec = Serialization.jsonMapper().valueToTree(cluster.getSpec());
    spec.remove(List.of("bootstrap", "paused", "hibernated"));
    own(cluster.getSpec().backup(), spec, name);
    ObjectNode recovery = spec.putObject("bootstrap").putObject("recovery").put("backupRef", backup);
    if (target != null) {
      recovery.set("target", Serialization.jsonMapper().valueToTree(target));
    }
    document.set("spec", spec);
    return Serialization.asYaml(document);
  }

  /** Two clusters do not write into one folder: the new one's backups go beside the old one's. */
  private static void own(BackupSpec backup, ObjectNode spec, String name) {
    if (backup == null || backup.destination() == null) {
      return;
    }
    ObjectNode destination = (ObjectNode) spec.get("backup").get("destination");
    destination.properties().forEach(place -> {
      String field = place.getKey().equals("pvc") ? "path" : "prefix";
      String before = place.getValue().path(field).asText("").replaceAll("/+$", "");
      ((ObjectNode) place.getValue()).put(field, before.isEmpty() ? name : before + "-" + name);
    });
  }
}
