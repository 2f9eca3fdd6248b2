package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.desired.Names;
import java.util.Map;

/** Makes, deletes and marks KvorumBackups. Nobody owns them: they outlive the cluster and the schedule that wanted them. */
public final class BackupObjects {
  private BackupObjects() {}

  /** One of that name that is there already is what was wanted. */
  public static void create(Writes writes, String namespace, BackupAction.CreateBackup wanted) {
    KvorumBackup backup = new KvorumBackup();
    backup.setMetadata(
        new ObjectMetaBuilder().withName(wanted.name()).withNamespace(namespace).withLabels(wanted.labels()).withFinalizers(Api.FINALIZER).build());
    backup.setSpec(wanted.spec());
    writes.create(backup);
  }

  /** One that is gone, or is another of the same name, stays as it is. */
  public static void delete(KubernetesClient client, String namespace, BackupAction.DeleteBackup which) {
    KvorumBackup found = client.resources(KvorumBackup.class).inNamespace(namespace).withName(which.name()).get();
    if (found != null && found.getMetadata().getUid().equals(which.uid())) {
      client.resource(found).delete();
    }
  }

  /** Asks for a verification under this name. */
  public static void verify(KubernetesClient client, String namespace, String backup, String request) {
    String patch = Serialization.asJson(Map.of("metadata", Map.of("annotations", Map.of(Names.VERIFY, request))));
    client.resources(KvorumBackup.class).inNamespace(namespace).withName(backup).patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  /** Nothing can be made in it any more. */
  static boolean namespaceEnds(KubernetesClient client, String namespace) {
    Namespace found = client.namespaces().withName(namespace).get();
    return found == null || found.getMetadata().getDeletionTimestamp() != null;
  }
}
