package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.protocol.internal.StoredMember;
import java.util.List;

/**
 * One member as the cluster knows it.
 *
 * @param id unsigned, never 0
 * @param name empty until the member has started and announced itself
 * @param peerUrls where it is reached by other members, sorted
 * @param clientUrls where it says clients reach it; empty until it has started
 * @param learner it receives the log but does not vote
 * @param featureLevel highest feature level that its software understands; 0 until it has announced itself
 */
public record Member(long id, String name, List<String> peerUrls, List<String> clientUrls, boolean learner, int featureLevel) {
  public Member {
    peerUrls = peerUrls.stream().sorted().toList();
    clientUrls = List.copyOf(clientUrls);
  }

  /** A founder (it has a name from the start) or one just added (no name). */
  static Member of(MemberContext context, boolean learner) {
    return new Member(context.getId(), context.getName(), context.getPeerUrlsList(), List.of(), learner, 0);
  }

  static Member of(StoredMember stored) {
    return new Member(
        stored.getId(),
        stored.getName(),
        stored.getPeerUrlsList(),
        stored.getClientUrlsList(),
        stored.getIsLearner(),
        stored.getFeatureLevel());
  }

  /** etcd's meaning of started: it has a name. Founders count as started. */
  public boolean isStarted() {
    return !name.isEmpty();
  }

  Member withAttributes(String newName, List<String> newClientUrls, int newFeatureLevel) {
    return new Member(id, newName, peerUrls, newClientUrls, learner, newFeatureLevel);
  }

  Member withPeerUrls(List<String> newPeerUrls) {
    return new Member(id, name, newPeerUrls, clientUrls, learner, featureLevel);
  }

  Member promoted() {
    return new Member(id, name, peerUrls, clientUrls, false, featureLevel);
  }

  StoredMember stored() {
    return StoredMember.newBuilder()
        .setId(id)
        .addAllPeerUrls(peerUrls)
        .setIsLearner(learner)
        .setName(name)
        .addAllClientUrls(clientUrls)
        .setFeatureLevel(featureLevel)
        .build();
  }

  MemberContext context() {
    return MemberContext.newBuilder().setId(id).setName(name).addAllPeerUrls(peerUrls).setIsLearner(learner).build();
  }

  /** As clients see it. */
  public io.kvorum.protocol.etcdserverpb.Member toProto() {
    return io.kvorum.protocol.etcdserverpb.Member.newBuilder()
        .setID(id)
        .setName(name)
        .addAllPeerURLs(peerUrls)
        .addAllClientURLs(clientUrls)
        .setIsLearner(learner)
        .build();
  }
}
