package io.kvorum.operator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** One member of a cluster: its identity and how far its life has come. The operator alone writes it; deleting one asks for its replacement. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("kvorummembers")
@ShortNames("kvm")
@Categories("kvorum")
@AdditionalPrinterColumn(name = "Cluster", jsonPath = ".spec.clusterName", type = Type.STRING)
@AdditionalPrinterColumn(name = "Role", jsonPath = ".status.role", type = Type.STRING)
@AdditionalPrinterColumn(name = "Phase", jsonPath = ".status.phase", type = Type.STRING)
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status", type = Type.STRING)
@AdditionalPrinterColumn(name = "Version", jsonPath = ".status.version", type = Type.STRING)
@AdditionalPrinterColumn(name = "Lag", jsonPath = ".status.lagEntries", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Node", jsonPath = ".status.nodeName", type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public final class KvorumMember extends CustomResource<KvorumMemberSpec, KvorumMemberStatus> implements Namespaced {}
