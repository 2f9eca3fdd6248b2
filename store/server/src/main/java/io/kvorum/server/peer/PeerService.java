package io.kvorum.server.peer;

import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.protocol.internal.KeepLogRequest;
import io.kvorum.protocol.internal.KeepLogResponse;
import io.kvorum.protocol.internal.MembersRequest;
import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.protocol.internal.ProbeRequest;
import io.kvorum.protocol.internal.ProbeResponse;
import io.kvorum.protocol.internal.RaftMessages;
import io.kvorum.protocol.internal.SnapshotPart;
import io.kvorum.protocol.internal.SnapshotReply;
import io.kvorum.protocol.internal.StreamEnd;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.base.Completion;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.Promotion;
import io.kvorum.server.lease.LeaseLeader;
import io.kvorum.server.maintenance.ContentHash;
import java.util.function.ObjLongConsumer;

/** What other members call on the peer port. Nothing blocks; it may run directly on the event loops. */
public final class PeerService extends PeerGrpc.PeerImplBase {
  /** Largest message that the peer port must take: entries are never split, and a request may be configured to be large. */
  public static final int MESSAGE_BYTES_MAX = 1 << 30;

  private final Members members;
  private final InboundStreams streams;
  private final SnapshotReceiver snapshots;
  private final LeaseLeader leases;
  private final Promotion promotion;
  private final ContentHash hash;
  private final ObjLongConsumer<String> chains;
  private final PeerGate gate;
  private final PeerTransport transport;

  /**
   * @param self this member
   * @param members whom to refuse; the service listens to it
   * @param transport hears of callers that the membership does not know
   * @param node takes the messages
   * @param snapshots takes the files
   * @param leases answers forwarded lease calls while this member leads
   * @param promotion answers forwarded promotions
   * @param chains hears how far chains of backups are
   */
  public PeerService(
      PeerIdentity self,
      Members members,
      PeerTransport transport,
      RaftNode node,
      SnapshotReceiver snapshots,
      LeaseLeader leases,
      Promotion promotion,
      ContentHash hash,
      ObjLongConsumer<String> chains) {
    this.members = members;
    this.transport = transport;
    this.streams = new InboundStreams(node, transport.meter());
    this.snapshots = snapshots;
    this.leases = leases;
    this.promotion = promotion;
    this.hash = hash;
    this.chains = chains;
    this.gate = new PeerGate(self, members, transport::introduce);
    members.listen(streams);
  }

  /** The service behind the check of who calls; to be added to the server of the peer port. */
  public ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(this, gate);
  }

  @Override
  public StreamObserver<RaftMessages> messages(StreamObserver<StreamEnd> observer) {
    return streams.open(PeerGate.CALLER.get(), observer);
  }

  @Override
  public StreamObserver<SnapshotPart> snapshot(StreamObserver<SnapshotReply> observer) {
    return snapshots.open(PeerGate.CALLER.get(), observer, transport.meter().of(PeerGate.CALLER.get()).received);
  }

  @Override
  public void leaseRenew(LeaseKeepAliveRequest request, StreamObserver<LeaseKeepAliveResponse> observer) {
    leases.renew(request, answer(observer));
  }

  @Override
  public void leaseTimeToLive(LeaseTimeToLiveRequest request, StreamObserver<LeaseTimeToLiveResponse> observer) {
    leases.timeToLive(request, answer(observer));
  }

  @Override
  public void leaseLeases(LeaseLeasesRequest request, StreamObserver<LeaseLeasesResponse> observer) {
    leases.leases(request, answer(observer));
  }

  @Override
  public void memberPromote(MemberPromoteRequest request, StreamObserver<MemberPromoteResponse> observer) {
    promotion.promoteHere(request, answer(observer));
  }

  @Override
  public void hashKV(HashKVRequest request, StreamObserver<HashKVResponse> observer) {
    hash.hash(request.getRevision(), answer(observer));
  }

  @Override
  public void keepLog(KeepLogRequest request, StreamObserver<KeepLogResponse> observer) {
    chains.accept(request.getChain(), request.getIndex());
    observer.onNext(KeepLogResponse.getDefaultInstance());
    observer.onCompleted();
  }

  /** Only how long it takes counts. */
  @Override
  public void probe(ProbeRequest request, StreamObserver<ProbeResponse> observer) {
    observer.onNext(ProbeResponse.getDefaultInstance());
    observer.onCompleted();
  }

  @Override
  public void members(MembersRequest request, StreamObserver<MembersResponse> observer) {
    observer.onNext(members.describe());
    observer.onCompleted();
  }

  private static <T> Completion<T> answer(StreamObserver<T> observer) {
    return new Completion<>() {
      @Override
      public void done(T answer) {
        observer.onNext(answer);
        observer.onCompleted();
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        observer.onError(reason);
      }
    };
  }
}
