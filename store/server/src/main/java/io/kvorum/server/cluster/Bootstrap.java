package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.server.base.FeatureLevel;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The first start of a member.
 *
 * <ol>
 *   <li>The member's own name must be in the initial cluster, with the URLs that it advertises (names resolved).
 *   <li>New cluster: ids follow from URLs and token. If a running member already knows this one as started, its data directory was lost: refuse,
 *       because a member that forgot its vote must not vote again under the same id.
 *   <li>Existing cluster: the first peer that answers tells the members. Their number and URLs must equal the initial cluster's; the own id is that
 *       of the member with the own URLs; the founders come from the answer, so that log index 0 means the same here.
 * </ol>
 */
public final class Bootstrap {
  /** How long the peers of a new cluster are asked whether this member is known already. */
  private static final long KNOWN_CHECK_MILLIS = 1_000;

  /** How long the peers of an existing cluster have to answer. */
  private static final long JOIN_MILLIS = 10_000;

  private final ClusterFlags flags;
  private final PeerDirectory directory;
  private final PeerUrls.Resolver resolver;

  public Bootstrap(ClusterFlags flags, PeerDirectory directory, PeerUrls.Resolver resolver) {
    this.flags = flags;
    this.directory = directory;
    this.resolver = resolver;
  }

  /**
   * Decides by the flags. The result must be made durable ({@link GenesisFile}) before anything else is.
   *
   * @throws BootstrapException when the flags do not fit together or not to the running cluster
   */
  public Genesis run() throws BootstrapException {
    checkOwnUrls();
    return flags.existing() ? join() : found();
  }

  private void checkOwnUrls() throws BootstrapException {
    List<String> own = flags.initialCluster().get(flags.name());
    if (own == null) {
      throw new BootstrapException("couldn't find local name \"" + flags.name() + "\" in the initial cluster configuration");
    }
    if (!same(own, flags.advertisePeerUrls())) {
      throw new BootstrapException(
          "--initial-cluster has " + flags.name() + "=" + String.join(",", own) + " but missing from --initial-advertise-peer-urls="
              + String.join(",", flags.advertisePeerUrls()));
    }
  }

  private boolean same(Collection<String> left, Collection<String> right) throws BootstrapException {
    try {
      return PeerUrls.same(left, right, resolver);
    } catch (UnknownHostException e) {
      throw new BootstrapException(
          "failed to resolve " + String.join(",", left) + " to match --initial-cluster=" + flags.initialClusterText() + " (" + e.getMessage() + ")");
    } catch (IllegalArgumentException e) {
      throw new BootstrapException(e.getMessage());
    }
  }

  private Genesis found() throws BootstrapException {
    List<Member> founders = new ArrayList<>();
    TreeMap<Long, String> ids = new TreeMap<>();
    for (var entry : new TreeMap<>(flags.initialCluster()).entrySet()) {
      long id = MemberIds.founder(entry.getValue(), flags.token());
      if (id == 0 || ids.put(id, entry.getKey()) != null) {
        throw new BootstrapException("member exists with identical ID " + MemberIds.hex(id));
      }
      founders.add(new Member(id, entry.getKey(), entry.getValue(), List.of(), false, 0));
    }
    long self = MemberIds.founder(flags.initialCluster().get(flags.name()), flags.token());
    List<String> others = otherUrls();
    if (!others.isEmpty()) {
      Optional<MembersResponse> answer = directory.ask(others, KNOWN_CHECK_MILLIS);
      if (answer.isPresent() && answer.get().getMembersList().stream().anyMatch(m -> m.getId() == self && m.getClientUrlsCount() > 0)) {
        throw new BootstrapException("member " + MemberIds.hex(self) + " has already been bootstrapped");
      }
    }
    return new Genesis(MemberIds.cluster(ids.keySet()), self, founders, founders);
  }

  private Genesis join() throws BootstrapException {
    MembersResponse answer =
        directory
            .ask(otherUrls(), JOIN_MILLIS)
            .orElseThrow(
                () -> new BootstrapException("cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs"));
    List<Member> members = answer.getMembersList().stream().map(Member::of).toList();
    String prefix = "error validating peerURLs " + flags.initialClusterText() + ": ";
    if (members.size() != flags.initialCluster().size()) {
      throw new BootstrapException(prefix + "member count is unequal");
    }
    for (Member member : members) {
      if (matching(member.peerUrls()) == null) {
        throw new BootstrapException(
            prefix + "unmatched member while checking PeerURLs: PeerURLs: no match found for existing member ("
                + MemberIds.hex(member.id()) + ", " + member.peerUrls() + ")");
      }
    }
    if (answer.getFeatureLevel() > FeatureLevel.SUPPORTED) {
      throw new BootstrapException(
          "the cluster's feature level is " + answer.getFeatureLevel() + "; this version understands " + FeatureLevel.SUPPORTED + " at most");
    }
    List<Member> founders = answer.getFoundersList().stream().map(c -> Member.of(c, c.getIsLearner())).toList();
    return new Genesis(answer.getClusterId(), ownId(members, prefix), founders, members);
  }

  private long ownId(List<Member> members, String prefix) throws BootstrapException {
    List<String> own = flags.initialCluster().get(flags.name());
    for (Member member : members) {
      if (same(member.peerUrls(), own)) {
        return member.id();
      }
    }
    throw new BootstrapException(prefix + "unmatched member while checking PeerURLs");
  }

  /** The initial cluster's entry with these URLs, or null. */
  private String matching(List<String> urls) throws BootstrapException {
    for (var entry : flags.initialCluster().entrySet()) {
      if (same(urls, entry.getValue())) {
        return entry.getKey();
      }
    }
    return null;
  }

  private List<String> otherUrls() {
    return flags.initialCluster().entrySet().stream()
        .filter(e -> !e.getKey().equals(flags.name()))
        .flatMap(e -> e.getValue().stream())
        .sorted()
        .toList();
  }
}
