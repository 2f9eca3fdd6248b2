package io.kvorum.server.apply;

import io.kvorum.protocol.internal.ClusterMemberAttrSetRequest;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.EtcdError;

/** Who the members are, as apply sees it: ids, names, URLs, learners, removed ids, cluster version, feature level. */
public interface MemberState extends MachinePart {
  /** Decides and records one membership change. Returns null when accepted, else the refusal (the change then has no effect anywhere). */
  EtcdError apply(MembershipChange change);

  void setAttributes(ClusterMemberAttrSetRequest request);

  void setClusterVersion(ClusterVersionSetRequest request);

  void setDowngrade(DowngradeInfoSetRequest request);

  void setFeatureLevel(FeatureLevelSetRequest request);
}
