package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.raft.Membership;
import io.kvorum.server.base.FeatureLevel;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * How a member came into being, fixed at its first start: whose cluster it belongs to, who it is, and what log index 0 stands for. It is the same
 * on all members but for {@code memberId} and {@code contacts}.
 *
 * @param clusterId unsigned
 * @param memberId unsigned
 * @param founders the members of the new cluster, all voters
 * @param contacts the members known when this one joined; whom to dial before the log has told. Equal to {@code founders} in a new cluster
 */
public record Genesis(long clusterId, long memberId, List<Member> founders, List<Member> contacts) {
  public Genesis {
    founders = List.copyOf(founders);
    contacts = List.copyOf(contacts);
  }

  /** The same member, of another cluster. */
  public Genesis withClusterId(long id) {
    return new Genesis(id, memberId, founders, contacts);
  }

  /** The membership before the first entry of the log. */
  public Membership membership() {
    return ClusterView.membershipOf(founders);
  }

  /** The state before the first entry of the log. */
  public ClusterView initialView() {
    TreeMap<Long, Member> members = new TreeMap<>();
    founders.forEach(m -> members.put(m.id(), m));
    return new ClusterView(
        clusterId, members, Set.of(), "", FeatureLevel.FIRST, DowngradeInfoSetRequest.getDefaultInstance(), founders);
  }

  public io.kvorum.protocol.internal.Genesis toProto() {
    return io.kvorum.protocol.internal.Genesis.newBuilder()
        .setClusterId(clusterId)
        .setMemberId(memberId)
        .addAllFounders(founders.stream().map(Member::context).toList())
        .addAllContacts(contacts.stream().map(Member::context).toList())
        .build();
  }

  public static Genesis of(io.kvorum.protocol.internal.Genesis proto) {
    return new Genesis(
        proto.getClusterId(),
        proto.getMemberId(),
        proto.getFoundersList().stream().map(c -> Member.of(c, c.getIsLearner())).toList(),
        proto.getContactsList().stream().map(c -> Member.of(c, c.getIsLearner())).toList());
  }
}
