package io.kvorum.operator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** When backups of a cluster are taken, how long they are kept and how often they are proven. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("kvorumbackupschedules")
@ShortNames("kvbs")
@Categories("kvorum")
@ValidationRule(value = "size(self.metadata.name) <= 52", message = "the name has at most 52 characters, so that the names of its runs fit")
@AdditionalPrinterColumn(name = "Cluster", jsonPath = ".spec.clusterRef", type = Type.STRING)
@AdditionalPrinterColumn(name = "Schedule", jsonPath = ".spec.schedule", type = Type.STRING)
@AdditionalPrinterColumn(name = "Suspended", jsonPath = ".spec.suspend", type = Type.BOOLEAN)
@AdditionalPrinterColumn(name = "Active", jsonPath = ".status.active", type = Type.STRING)
@AdditionalPrinterColumn(name = "Last", jsonPath = ".status.lastScheduleTime", type = Type.DATE)
@AdditionalPrinterColumn(name = "Last Successful", jsonPath = ".status.lastSuccessfulBackup", type = Type.STRING)
@AdditionalPrinterColumn(name = "Last Verified", jsonPath = ".status.lastVerifiedBackup", type = Type.STRING, priority = 1)
@AdditionalPrinterColumn(name = "Next", jsonPath = ".status.nextScheduleTime", type = Type.STRING, priority = 1)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public final class KvorumBackupSchedule extends CustomResource<KvorumBackupScheduleSpec, KvorumBackupScheduleStatus> implements Namespaced {

  /** The status, the empty one when nobody has looked at it yet. */
  public KvorumBackupScheduleStatus known() {
    return getStatus() == null ? KvorumBackupScheduleStatus.EMPTY : getStatus();
  }
}
