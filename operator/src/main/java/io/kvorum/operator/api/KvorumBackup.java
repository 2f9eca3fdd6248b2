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

/** One run of a backup and what came of it. It outlives the cluster that it was taken of. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("kvorumbackups")
@ShortNames("kvb")
@Categories("kvorum")
@ValidationRule(value = "size(self.metadata.name) <= 63", message = "the name has at most 63 characters, so that it fits a label")
@AdditionalPrinterColumn(name = "Cluster", jsonPath = ".spec.clusterRef", type = Type.STRING)
@AdditionalPrinterColumn(name = "Type", jsonPath = ".status.type", type = Type.STRING)
@AdditionalPrinterColumn(name = "Phase", jsonPath = ".status.phase", type = Type.STRING)
@AdditionalPrinterColumn(name = "Revision", jsonPath = ".status.artefact.toRevision", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Size", jsonPath = ".status.size", type = Type.STRING)
@AdditionalPrinterColumn(name = "Verified", jsonPath = ".status.conditions[?(@.type==\"Verified\")].status", type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public final class KvorumBackup extends CustomResource<KvorumBackupSpec, KvorumBackupStatus> implements Namespaced {

  /** The status, the empty one when nobody has looked at it yet. */
  public KvorumBackupStatus known() {
    return getStatus() == null ? KvorumBackupStatus.EMPTY : getStatus();
  }
}
