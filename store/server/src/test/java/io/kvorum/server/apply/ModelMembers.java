package io.kvorum.server.apply;

import io.kvorum.protocol.internal.ClusterMemberAttrSetRequest;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredMember;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.EtcdError;
import java.util.TreeMap;

/** Members as a sorted map; removing an unknown one is refused. */
public final class ModelMembers implements MemberState {
  private final TreeMap<Long, StoredMember> members = new TreeMap<>();
  private String version = "";
  private int level;
  private DowngradeInfoSetRequest downgrade = DowngradeInfoSetRequest.getDefaultInstance();

  @Override
  public EtcdError apply(MembershipChange change) {
    if (change.kind() == MembershipChange.Kind.REMOVE) {
      return members.remove(change.memberId()) == null ? EtcdError.MEMBER_NOT_FOUND : null;
    }
    members.put(change.memberId(), StoredMember.newBuilder().setId(change.memberId()).build());
    return null;
  }

  @Override
  public void setAttributes(ClusterMemberAttrSetRequest request) {
    members.computeIfPresent(request.getMemberId(), (id, member) -> member.toBuilder().setName(request.getMemberAttributes().getName()).build());
  }

  @Override
  public void setClusterVersion(ClusterVersionSetRequest request) {
    version = request.getVer();
  }

  @Override
  public void setDowngrade(DowngradeInfoSetRequest request) {
    downgrade = request;
  }

  @Override
  public void setFeatureLevel(FeatureLevelSetRequest request) {
    level = request.getLevel();
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    checkpoint.addAllMembers(members.values()).setClusterVersion(version).setFeatureLevel(level).setDowngrade(downgrade);
  }

  @Override
  public void restore(MachineState checkpoint) {
    members.clear();
    checkpoint.getMembersList().forEach(member -> members.put(member.getId(), member));
    version = checkpoint.getClusterVersion();
    level = checkpoint.getFeatureLevel();
    downgrade = checkpoint.getDowngrade();
  }
}
