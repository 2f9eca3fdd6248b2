package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.raft.Membership;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything that is agreed about the members, at one point of the log. Immutable.
 *
 * @param clusterId unsigned
 * @param members by id, ascending as unsigned numbers
 * @param removed ids that were members once and never can be again
 * @param clusterVersion for example {@code 3.6.0}; empty before the leader has set it
 * @param featureLevel what the formats may use: understood by all members
 * @param downgrade a downgrade under way, or the default instance
 * @param founders what log index 0 stands for
 */
public record ClusterView(
    long clusterId,
    SortedMap<Long, Member> members,
    Set<Long> removed,
    String clusterVersion,
    int featureLevel,
    DowngradeInfoSetRequest downgrade,
    List<Member> founders) {
  public ClusterView {
    SortedMap<Long, Member> copy = new TreeMap<>(Long::compareUnsigned);
    copy.putAll(members);
    members = Collections.unmodifiableSortedMap(copy);
    removed = Set.copyOf(removed);
    founders = List.copyOf(founders);
  }

  /** The member, or null. */
  public Member member(long id) {
    return members.get(id);
  }

  public boolean isRemoved(long id) {
    return removed.contains(id);
  }

  public List<Member> voters() {
    return members.values().stream().filter(m -> !m.learner()).toList();
  }

  public long learnerCount() {
    return members.values().stream().filter(Member::learner).count();
  }

  /** Whether a member other than {@code except} has one of the URLs. */
  boolean isUrlInUse(Collection<String> urls, long except) {
    return members.values().stream().anyMatch(m -> m.id() != except && m.peerUrls().stream().anyMatch(urls::contains));
  }

  /** As consensus sees it. */
  public Membership membership() {
    return membershipOf(members.values());
  }

  /** All members as clients see them, by id. */
  public List<io.kvorum.protocol.etcdserverpb.Member> toProto() {
    return members.values().stream().map(Member::toProto).toList();
  }

  static Membership membershipOf(Collection<Member> members) {
    TreeSet<Long> voters = new TreeSet<>();
    TreeSet<Long> learners = new TreeSet<>();
    members.forEach(m -> (m.learner() ? learners : voters).add(m.id()));
    return new Membership(voters, learners);
  }

  ClusterView withMember(Member member) {
    SortedMap<Long, Member> next = new TreeMap<>(members);
    next.put(member.id(), member);
    return new ClusterView(clusterId, next, removed, clusterVersion, featureLevel, downgrade, founders);
  }

  ClusterView without(long id) {
    SortedMap<Long, Member> next = new TreeMap<>(members);
    next.remove(id);
    Set<Long> gone = new TreeSet<>(removed);
    gone.add(id);
    return new ClusterView(clusterId, next, gone, clusterVersion, featureLevel, downgrade, founders);
  }

  ClusterView withClusterId(long id) {
    return new ClusterView(id, members, removed, clusterVersion, featureLevel, downgrade, founders);
  }

  ClusterView withClusterVersion(String version) {
    return new ClusterView(clusterId, members, removed, version, featureLevel, downgrade, founders);
  }

  ClusterView withFeatureLevel(int level) {
    return new ClusterView(clusterId, members, removed, clusterVersion, level, downgrade, founders);
  }

  ClusterView withDowngrade(DowngradeInfoSetRequest info) {
    return new ClusterView(clusterId, members, removed, clusterVersion, featureLevel, info, founders);
  }
}
