package io.kvorum.server.cluster;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.MemberAddRequest;
import io.kvorum.protocol.etcdserverpb.MemberAddResponse;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.protocol.etcdserverpb.MemberRemoveRequest;
import io.kvorum.protocol.etcdserverpb.MemberRemoveResponse;
import io.kvorum.protocol.etcdserverpb.MemberUpdateRequest;
import io.kvorum.protocol.etcdserverpb.MemberUpdateResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** etcd's Cluster service. Headers carry no revision. */
public final class ClusterService extends ClusterGrpc.ClusterImplBase {
  private final Kernel kernel;
  private final Members members;
  private final ReconfigRules rules;
  private final MembershipProposals proposals;
  private final Promotion promotion;
  private final IntSupplier maxLearners;
  private final LongSupplier unixSeconds;

  /**
   * @param maxLearners --max-learners, now
   * @param unixSeconds wall clock, part of the ids of added members
   */
  public ClusterService(
      Kernel kernel,
      Members members,
      ReconfigRules rules,
      MembershipProposals proposals,
      Promotion promotion,
      IntSupplier maxLearners,
      LongSupplier unixSeconds) {
    this.kernel = kernel;
    this.members = members;
    this.rules = rules;
    this.proposals = proposals;
    this.promotion = promotion;
    this.maxLearners = maxLearners;
    this.unixSeconds = unixSeconds;
  }

  static ResponseHeader header(Kernel kernel) {
    return kernel.header(0);
  }

  @Override
  public void memberAdd(MemberAddRequest request, StreamObserver<MemberAddResponse> observer) {
    List<String> urls;
    try {
      urls = PeerUrls.parse(request.getPeerURLsList());
    } catch (IllegalArgumentException e) {
      observer.onError(EtcdError.BAD_MEMBER_URLS.exception());
      return;
    }
    boolean learner = request.getIsLearner();
    EtcdError refusal = rules.mayAdd(members.view(), learner);
    if (refusal != null) {
      observer.onError(refusal.exception());
      return;
    }
    long id = MemberIds.added(urls, unixSeconds.getAsLong());
    MemberContext.Builder context = MemberContext.newBuilder().setId(id).addAllPeerUrls(urls).setIsLearner(learner);
    if (learner) {
      context.setMaxLearners(maxLearners.getAsInt());
    }
    var added = io.kvorum.protocol.etcdserverpb.Member.newBuilder().setID(id).addAllPeerURLs(urls).setIsLearner(learner).build();
    proposals.propose(
        learner ? MembershipChange.Kind.ADD_LEARNER : MembershipChange.Kind.ADD_VOTER,
        context,
        answer(
            observer,
            () ->
                MemberAddResponse.newBuilder()
                    .setHeader(header(kernel))
                    .setMember(added)
                    .addAllMembers(members.view().toProto())
                    .build()));
  }

  @Override
  public void memberRemove(MemberRemoveRequest request, StreamObserver<MemberRemoveResponse> observer) {
    EtcdError refusal = rules.mayRemove(members.view(), request.getID());
    if (refusal != null) {
      observer.onError(refusal.exception());
      return;
    }
    proposals.propose(
        MembershipChange.Kind.REMOVE,
        MemberContext.newBuilder().setId(request.getID()),
        answer(
            observer,
            () -> MemberRemoveResponse.newBuilder().setHeader(header(kernel)).addAllMembers(members.view().toProto()).build()));
  }

  @Override
  public void memberUpdate(MemberUpdateRequest request, StreamObserver<MemberUpdateResponse> observer) {
    List<String> urls = request.getPeerURLsList();
    try {
      urls = PeerUrls.parse(urls);
    } catch (IllegalArgumentException e) {
      // An unknown member is refused as such, whatever its URLs.
      if (members.view().member(request.getID()) != null) {
        observer.onError(EtcdError.BAD_MEMBER_URLS.exception());
        return;
      }
    }
    proposals.propose(
        MembershipChange.Kind.UPDATE,
        MemberContext.newBuilder().setId(request.getID()).addAllPeerUrls(urls),
        answer(
            observer,
            () -> MemberUpdateResponse.newBuilder().setHeader(header(kernel)).addAllMembers(members.view().toProto()).build()));
  }

  @Override
  public void memberList(MemberListRequest request, StreamObserver<MemberListResponse> observer) {
    Completion<Void> completion =
        answer(
            observer,
            () -> MemberListResponse.newBuilder().setHeader(header(kernel)).addAllMembers(members.view().toProto()).build());
    if (request.getLinearizable()) {
      kernel.reads().await(completion);
    } else {
      completion.done(null);
    }
  }

  @Override
  public void memberPromote(MemberPromoteRequest request, StreamObserver<MemberPromoteResponse> observer) {
    promotion.promote(
        request,
        new Completion<>() {
          @Override
          public void done(MemberPromoteResponse answer) {
            observer.onNext(answer);
            observer.onCompleted();
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            observer.onError(reason);
          }
        });
  }

  private static <T> Completion<Void> answer(StreamObserver<T> observer, Supplier<T> response) {
    return new Completion<>() {
      @Override
      public void done(Void nothing) {
        observer.onNext(response.get());
        observer.onCompleted();
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        observer.onError(reason);
      }
    };
  }
}
