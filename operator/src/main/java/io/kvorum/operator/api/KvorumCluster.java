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

/** The cluster that a user wants, and how it is doing. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("kvorumclusters")
@ShortNames("kvc")
@Categories("kvorum")
@ValidationRule(value = "size(self.metadata.name) <= 40", message = "the name has at most 40 characters, so that member names and DNS labels fit")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status", type = Type.STRING)
@AdditionalPrinterColumn(name = "Members", jsonPath = ".status.summary", type = Type.STRING)
@AdditionalPrinterColumn(name = "Leader", jsonPath = ".status.leader.name", type = Type.STRING)
@AdditionalPrinterColumn(name = "Version", jsonPath = ".status.version.cluster", type = Type.STRING)
@AdditionalPrinterColumn(name = "Phase", jsonPath = ".status.phase", type = Type.STRING)
@AdditionalPrinterColumn(name = "Last Backup", jsonPath = ".status.backup.lastSuccessfulTime", type = Type.DATE)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(name = "Tolerates", jsonPath = ".status.quorum.faultTolerance", type = Type.INTEGER, priority = 1)
@AdditionalPrinterColumn(name = "DB Size", jsonPath = ".status.storage.databaseSize", type = Type.STRING, priority = 1)
@AdditionalPrinterColumn(name = "Doing", jsonPath = ".status.currentAction.type", type = Type.STRING, priority = 1)
public final class KvorumCluster extends CustomResource<KvorumClusterSpec, KvorumClusterStatus> implements Namespaced {

  /** The version that members are started with: the wanted one, or the one before while the wanted one cannot follow it. */
  public String acceptedVersion() {
    boolean known = getStatus() != null && getStatus().version() != null && getStatus().version().target() != null && !getStatus().version().target().isEmpty();
    return known ? getStatus().version().target() : getSpec().version();
  }

  /**
   * The secret with root's password: the one that the specification names or, by its name, the operator's own; while authentication is to be switched off,
   * the one that it was switched on with; empty when it is neither wanted nor in force.
   */
  public String rootSecret() {
    if (!getSpec().wantsAuth()) {
      return getStatus() == null ? "" : getStatus().memory().rootSecret();
    }
    String given = getSpec().auth().rootCredentialsSecretRef();
    return given == null || given.isEmpty() ? getMetadata().getName() + "-root" : given;
  }
}
