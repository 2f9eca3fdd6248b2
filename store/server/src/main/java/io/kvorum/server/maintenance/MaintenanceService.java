package io.kvorum.server.maintenance;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.etcdserverpb.DefragmentRequest;
import io.kvorum.protocol.etcdserverpb.DefragmentResponse;
import io.kvorum.protocol.etcdserverpb.DowngradeInfo;
import io.kvorum.protocol.etcdserverpb.DowngradeRequest;
import io.kvorum.protocol.etcdserverpb.DowngradeResponse;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.HashRequest;
import io.kvorum.protocol.etcdserverpb.HashResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MoveLeaderRequest;
import io.kvorum.protocol.etcdserverpb.MoveLeaderResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.ClusterView;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.logging.Log;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** etcd's Maintenance service. */
public final class MaintenanceService extends MaintenanceGrpc.MaintenanceImplBase {
  private static final Log LOG = Log.of(MaintenanceService.class);
  private static final long DEFAULT_QUOTA_BYTES = 2L << 30;

  private final Kernel kernel;
  private final Members members;
  private final Alarms alarms;
  private final RaftNode node;
  private final ContentHash hash;
  private final Snapshots snapshots;
  private final LongSupplier quotaFlag;
  private final Defragmentation defragmentation;

  /** Hears of defragmentations. */
  public interface Defragmentation {
    Defragmentation UNHEARD =
        new Defragmentation() {
          @Override
          public void begun() {}

          @Override
          public void ended() {}
        };

    void begun();

    void ended();
  }

  /** As the other one, with nobody who hears of defragmentations. */
  public MaintenanceService(Kernel kernel, Members members, Alarms alarms, RaftNode node, ContentHash hash, Snapshots snapshots, LongSupplier quotaFlag) {
    this(kernel, members, alarms, node, hash, snapshots, quotaFlag, Defragmentation.UNHEARD);
  }

  /**
   * @param quotaFlag --quota-backend-bytes as given, now: 0 is reported as etcd's default, a negative value as it is
   */
  public MaintenanceService(
      Kernel kernel, Members members, Alarms alarms, RaftNode node, ContentHash hash, Snapshots snapshots, LongSupplier quotaFlag, Defragmentation defragmentation) {
    this.kernel = kernel;
    this.members = members;
    this.alarms = alarms;
    this.node = node;
    this.hash = hash;
    this.snapshots = snapshots;
    this.quotaFlag = quotaFlag;
    this.defragmentation = defragmentation;
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
    RaftStatus raft = kernel.raft().get();
    long quota = quotaFlag.getAsLong();
    DowngradeInfoSetRequest downgrade = members.view().downgrade();
    StatusResponse.Builder answer =
        StatusResponse.newBuilder()
            .setHeader(kernel.header())
            .setVersion(Version.ETCD)
            .setDbSize(kernel.store().sizeBytes())
            .setDbSizeInUse(kernel.store().sizeInUseBytes())
            .setDbSizeQuota(quota == 0 ? DEFAULT_QUOTA_BYTES : quota)
            .setLeader(raft.leader())
            .setRaftIndex(raft.commit())
            .setRaftAppliedIndex(raft.applied())
            .setRaftTerm(raft.term())
            .setIsLearner(members.isLocalLearner())
            .setStorageVersion(Version.STORAGE)
            .setDowngradeInfo(DowngradeInfo.newBuilder().setEnabled(downgrade.getEnabled()).setTargetVersion(downgrade.getVer()));
    if (raft.leader() == 0) {
      answer.addErrors(EtcdError.NO_LEADER.text());
    }
    for (AlarmMember alarm : alarms.active()) {
      // The text of a Go protobuf message: the space at the end belongs to it, and a zero is not shown.
      String member = alarm.getMemberID() == 0 ? "" : "memberID:" + Long.toUnsignedString(alarm.getMemberID()) + " ";
      answer.addErrors(member + "alarm:" + alarm.getAlarm() + " ");
    }
    observer.onNext(answer.build());
    observer.onCompleted();
  }

  @Override
  public void alarm(AlarmRequest request, StreamObserver<AlarmResponse> observer) {
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setAlarm(request),
            answer(observer, (AlarmResponse r) -> r.toBuilder().setHeader(header(r.getHeader())).build()));
  }

  /** Apply fills in the revision only. */
  private ResponseHeader header(ResponseHeader applied) {
    return kernel.header(applied.getRevision());
  }

  @Override
  public void hash(HashRequest request, StreamObserver<HashResponse> observer) {
    hash.hash(0, answer(observer, r -> HashResponse.newBuilder().setHeader(r.getHeader()).setHash(r.getHash()).build()));
  }

  @Override
  public void hashKV(HashKVRequest request, StreamObserver<HashKVResponse> observer) {
    hash.hash(request.getRevision(), answer(observer, r -> r));
  }

  @Override
  public void defragment(DefragmentRequest request, StreamObserver<DefragmentResponse> observer) {
    LOG.info("starting defragment", "size-in-use-bytes", kernel.store().sizeInUseBytes(), "size-bytes", kernel.store().sizeBytes());
    defragmentation.begun();
    kernel
        .store()
        .defragment()
        .whenComplete(
            (nothing, failure) -> {
              defragmentation.ended();
              if (failure == null) {
                LOG.info("finished defragmenting directory", "size-bytes", kernel.store().sizeBytes());
                observer.onNext(DefragmentResponse.getDefaultInstance());
                observer.onCompleted();
              } else {
                LOG.error("failed to defragment", failure);
                observer.onError(io.grpc.Status.UNKNOWN.withDescription(String.valueOf(failure.getMessage())).asRuntimeException());
              }
            });
  }

  @Override
  public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
    snapshots.send((ServerCallStreamObserver<SnapshotResponse>) observer);
  }

  @Override
  public void moveLeader(MoveLeaderRequest request, StreamObserver<MoveLeaderResponse> observer) {
    RaftStatus raft = kernel.raft().get();
    Member target = members.view().member(request.getTargetID());
    if (!raft.isLeader()) {
      observer.onError(EtcdError.NOT_LEADER.exception());
    } else if (target == null || target.learner()) {
      observer.onError(EtcdError.BAD_LEADER_TRANSFEREE.exception());
    } else if (target.id() == kernel.memberId()) {
      moved(observer);
    } else {
      node.transferLeadership(target.id())
          .whenComplete(
              (done, failure) -> {
                if (failure == null && done) {
                  LOG.info("leadership transferred", "new-leader-member-id", MemberIds.hex(target.id()));
                  moved(observer);
                } else {
                  observer.onError(EtcdError.TIMED_OUT_LEADER_TRANSFER.exception());
                }
              });
    }
  }

  private static void moved(StreamObserver<MoveLeaderResponse> observer) {
    observer.onNext(MoveLeaderResponse.getDefaultInstance());
    observer.onCompleted();
  }

  @Override
  public void downgrade(DowngradeRequest request, StreamObserver<DowngradeResponse> observer) {
    Completion<DowngradeResponse> completion = answer(observer, r -> r);
    if (request.getAction() == DowngradeRequest.DowngradeAction.UNRECOGNIZED) {
      completion.failed(EtcdError.UNKNOWN_METHOD.exception());
      return;
    }
    if (request.getAction() != DowngradeRequest.DowngradeAction.CANCEL && Downgrade.parse(request.getVersion()) == null) {
      completion.failed(EtcdError.WRONG_DOWNGRADE_VERSION_FORMAT.exception());
      return;
    }
    kernel.reads().await(then(completion, () -> downgradeNow(request, completion)));
  }

  private void downgradeNow(DowngradeRequest request, Completion<DowngradeResponse> completion) {
    ClusterView view = members.view();
    switch (request.getAction()) {
      case VALIDATE, ENABLE -> {
        EtcdError refusal = Downgrade.check(view, request.getVersion());
        if (refusal != null) {
          completion.failed(refusal.exception());
        } else if (request.getAction() == DowngradeRequest.DowngradeAction.VALIDATE) {
          downgradeAnswer(completion);
        } else {
          setDowngrade(true, Downgrade.parse(request.getVersion()).full(), completion);
        }
      }
      case CANCEL -> {
        if (view.downgrade().getEnabled()) {
          setDowngrade(false, "", completion);
        } else {
          // etcd tells nobody that there was nothing to cancel.
          downgradeAnswer(completion);
        }
      }
      case UNRECOGNIZED -> completion.failed(EtcdError.UNKNOWN_METHOD.exception());
    }
  }

  private void setDowngrade(boolean enabled, String version, Completion<DowngradeResponse> completion) {
    LogRequest.Builder request =
        LogRequest.newBuilder().setDowngradeInfoSet(DowngradeInfoSetRequest.newBuilder().setEnabled(enabled).setVer(version));
    kernel.proposals().<Object>propose(request, then(completion, () -> downgradeAnswer(completion)));
  }

  private void downgradeAnswer(Completion<DowngradeResponse> completion) {
    Downgrade.Minor cluster = Downgrade.parse(members.view().clusterVersion());
    completion.done(DowngradeResponse.newBuilder().setHeader(kernel.header()).setVersion(cluster == null ? "" : cluster.toString()).build());
  }

  /** Goes on when done, fails what waits when failed. */
  private static <T> Completion<T> then(Completion<?> waiting, Runnable next) {
    return new Completion<>() {
      @Override
      public void done(T ignored) {
        next.run();
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        waiting.failed(reason);
      }
    };
  }

  private static <T, A> Completion<T> answer(StreamObserver<A> observer, Function<T, A> response) {
    return new Completion<>() {
      @Override
      public void done(T answer) {
        observer.onNext(response.apply(answer));
        observer.onCompleted();
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        observer.onError(reason);
      }
    };
  }
}
