package io.kvorum.server.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.protocol.internal.ClusterMemberAttrSetRequest;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.apply.MemberState;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The members, as agreed through the log. Written by the raft thread; any thread reads {@link #view}. Whether a change is accepted depends on the
 * log alone, never on this member's flags, so all members decide alike.
 */
public final class Members implements MemberState {
  private final Genesis genesis;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private volatile ClusterView view;

  /** Hears on the raft thread that something about the members changed. Must not block. */
  @FunctionalInterface
  public interface Listener {
    void changed(ClusterView view);
  }

  public Members(Genesis genesis) {
    this.genesis = genesis;
    this.view = genesis.initialView();
  }

  /** The newest applied state. */
  public ClusterView view() {
    return view;
  }

  public long memberId() {
    return genesis.memberId();
  }

  /** Whether this member is a learner as far as it knows; false also before it knows of itself. */
  public boolean isLocalLearner() {
    Member self = view.member(genesis.memberId());
    return self != null && self.learner();
  }

  /** Adds a listener, which is told of the present state at once, on the calling thread. */
  public void listen(Listener listener) {
    listeners.add(listener);
    listener.changed(view);
  }

  /** What a member that joins wants to know. */
  public MembersResponse describe() {
    ClusterView now = view;
    return MembersResponse.newBuilder()
        .setClusterId(now.clusterId())
        .addAllMembers(now.members().values().stream().map(Member::stored).toList())
        .setFeatureLevel(now.featureLevel())
        .addAllFounders(now.founders().stream().map(Member::context).toList())
        .build();
  }

  private void publish(ClusterView next) {
    view = next;
    listeners.forEach(l -> l.changed(next));
  }

  @Override
  public EtcdError apply(MembershipChange change) {
    ClusterView now = view;
    long id = change.memberId();
    if (now.isRemoved(id)) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    Member known = now.member(id);
    MemberContext context = parse(change.context());
    return switch (change.kind()) {
      case ADD_VOTER, ADD_LEARNER -> add(now, id, known, context, change.kind() == MembershipChange.Kind.ADD_LEARNER);
      case PROMOTE -> promote(now, known);
      case REMOVE -> remove(now, known);
      case UPDATE -> update(now, known, context);
    };
  }

  private EtcdError add(ClusterView now, long id, Member known, MemberContext context, boolean learner) {
    if (known != null) {
      return EtcdError.MEMBER_ID_ALREADY_EXIST;
    }
    if (now.isUrlInUse(context.getPeerUrlsList(), id)) {
      return EtcdError.PEER_URLS_ALREADY_EXISTS;
    }
    if (learner && context.getMaxLearners() > 0 && now.learnerCount() >= context.getMaxLearners()) {
      return EtcdError.TOO_MANY_LEARNERS;
    }
    publish(now.withMember(new Member(id, context.getName(), context.getPeerUrlsList(), List.of(), learner, 0)));
    return null;
  }

  private EtcdError promote(ClusterView now, Member known) {
    if (known == null) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    if (!known.learner()) {
      return EtcdError.NOT_A_LEARNER;
    }
    publish(now.withMember(known.promoted()));
    return null;
  }

  private EtcdError remove(ClusterView now, Member known) {
    if (known == null) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    if (!known.learner() && now.voters().size() == 1) {
      // Nobody would be left to commit anything, this entry's effects included.
      return EtcdError.NOT_ENOUGH_STARTED_MEMBERS;
    }
    publish(now.without(known.id()));
    return null;
  }

  private EtcdError update(ClusterView now, Member known, MemberContext context) {
    if (known == null) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    if (now.isUrlInUse(context.getPeerUrlsList(), known.id())) {
      return EtcdError.PEER_URLS_ALREADY_EXISTS;
    }
    publish(now.withMember(known.withPeerUrls(context.getPeerUrlsList())));
    return null;
  }

  /** The context of a change; also tells the id of the request that waits for it. */
  public static MemberContext parse(byte[] context) {
    try {
      return MemberContext.parseFrom(context);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a membership change in the log has no readable context", e);
    }
  }

  @Override
  public void setAttributes(ClusterMemberAttrSetRequest request) {
    Member known = view.member(request.getMemberId());
    if (known != null) {
      publish(
          view.withMember(
              known.withAttributes(
                  request.getMemberAttributes().getName(), request.getMemberAttributes().getClientUrlsList(), request.getFeatureLevel())));
    }
  }

  @Override
  public void setClusterVersion(ClusterVersionSetRequest request) {
    publish(view.withClusterVersion(request.getVer()));
  }

  @Override
  public void setDowngrade(DowngradeInfoSetRequest request) {
    publish(view.withDowngrade(request));
  }

  @Override
  public void setFeatureLevel(FeatureLevelSetRequest request) {
    if (request.getLevel() > FeatureLevel.SUPPORTED) {
      throw new IllegalStateException(
          "the cluster's feature level " + request.getLevel() + " is above " + FeatureLevel.SUPPORTED + ", the highest that this version understands");
    }
    publish(view.withFeatureLevel(Math.max(view.featureLevel(), request.getLevel())));
  }

  /**
   * Makes this member the only one, a voter, as --force-new-cluster asks: all others count as removed. The cluster
   * has the id of the genesis then, which may be a new one. Only before consensus starts.
   *
   * @throws IllegalStateException if this member is none of the cluster's
   */
  public void forceSingle() {
    ClusterView now = view;
    Member self = now.member(genesis.memberId());
    if (self == null) {
      throw new IllegalStateException("member " + MemberIds.hex(genesis.memberId()) + " is not in the cluster");
    }
    for (Long id : now.members().keySet()) {
      now = id == self.id() ? now.withMember(self.promoted()) : now.without(id);
    }
    view = now.withClusterId(genesis.clusterId());
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    ClusterView now = view;
    checkpoint
        .setClusterId(now.clusterId())
        .addAllMembers(now.members().values().stream().map(Member::stored).toList())
        .addAllRemovedMembers(now.removed().stream().sorted(Long::compareUnsigned).toList())
        .setClusterVersion(now.clusterVersion())
        .setFeatureLevel(now.featureLevel())
        .setDowngrade(now.downgrade())
        .addAllFounders(now.founders().stream().map(Member::context).toList());
  }

  @Override
  public void restore(MachineState checkpoint) {
    // A cluster id is never 0: this is the empty state before the first entry.
    publish(checkpoint.getClusterId() == 0 ? genesis.initialView() : viewOf(checkpoint));
  }

  /** The members' part of a checkpoint. */
  public static ClusterView viewOf(MachineState checkpoint) {
    TreeMap<Long, Member> members = new TreeMap<>();
    checkpoint.getMembersList().forEach(m -> members.put(m.getId(), Member.of(m)));
    return new ClusterView(
        checkpoint.getClusterId(),
        members,
        Set.copyOf(checkpoint.getRemovedMembersList()),
        checkpoint.getClusterVersion(),
        checkpoint.getFeatureLevel(),
        checkpoint.getDowngrade(),
        checkpoint.getFoundersList().stream().map(c -> Member.of(c, c.getIsLearner())).toList());
  }
}
