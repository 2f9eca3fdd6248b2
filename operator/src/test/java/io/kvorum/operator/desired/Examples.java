package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.plan.Action.StartMode;
import java.util.List;

/** Clusters and members that the tests of the builders begin with. */
public final class Examples {
  public static final Defaults DEFAULTS = new Defaults("kvorum", "cluster.local");

  private Examples() {}

  /** @param spec lines of YAML below {@code spec}, indented by two; version and storage are there without */
  public static KvorumCluster cluster(String spec) {
    return Serialization.unmarshal(
        """
        apiVersion: kvorum.io/v1alpha1
        kind: KvorumCluster
        metadata: {name: kv, namespace: shop, uid: 11111111-2222-3333-4444-555555555555}
        spec:
        """
            + (spec.contains("  version:") ? "" : "  version: 1.2.3\n")
            + (spec.contains("  storage:") ? "" : "  storage: {size: 8Gi}\n")
            + spec,
        KvorumCluster.class);
  }

  public static KvorumMember member(String role) {
    return Serialization.unmarshal(
        """
        apiVersion: kvorum.io/v1alpha1
        kind: KvorumMember
        metadata: {name: kv-4, namespace: shop, uid: 99999999-2222-3333-4444-555555555555}
        spec:
          clusterName: kv
          memberName: kv-4
          ordinal: 4
          clusterToken: token-1
          peerURL: https://kv-4.kv-peer.shop.svc:2380
          initialPeers: ["kv-0=https://kv-0.kv-peer.shop.svc:2380", "kv-4=https://kv-4.kv-peer.shop.svc:2380"]
          joinMode: Join
          volumeClaimName: data-kv-4-11111111
        status: {memberID: ab12, role: %s}
        """
            .formatted(role),
        KvorumMember.class);
  }

  public static MemberConfig.Beginning joining() {
    return new MemberConfig.Beginning(StartMode.EXISTING, "token-1", member("Learner").getSpec().initialPeers());
  }

  public static OwnerReference owner() {
    return new OwnerReferenceBuilder().withApiVersion("kvorum.io/v1alpha1").withKind("KvorumMember").withName("kv-4").withUid("99").withController(true).build();
  }
}
