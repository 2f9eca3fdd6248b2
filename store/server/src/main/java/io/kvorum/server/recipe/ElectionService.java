package io.kvorum.server.recipe;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.v3electionpb.CampaignRequest;
import io.kvorum.protocol.v3electionpb.CampaignResponse;
import io.kvorum.protocol.v3electionpb.ElectionGrpc;
import io.kvorum.protocol.v3electionpb.LeaderKey;
import io.kvorum.protocol.v3electionpb.LeaderRequest;
import io.kvorum.protocol.v3electionpb.LeaderResponse;
import io.kvorum.protocol.v3electionpb.ProclaimRequest;
import io.kvorum.protocol.v3electionpb.ProclaimResponse;
import io.kvorum.protocol.v3electionpb.ResignRequest;
import io.kvorum.protocol.v3electionpb.ResignResponse;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** {@code v3electionpb.Election}: the leader of an election is the first in its {@link WaitingLine}, and the value of its key what it has to say. */
public final class ElectionService implements BindableService {
  private final LocalStore store;
  private final Programs programs;

  /**
   * @param services this member's own services, asked for when first needed
   * @param threads a (virtual) thread for each task
   */
  public ElectionService(Supplier<Channel> services, Executor threads) {
    this.store = new LocalStore(services);
    this.programs = new Programs(threads);
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerInterceptors.intercept(ElectionGrpc.bindService(new Methods()), new CallerIdentity());
  }

  private final class Methods implements ElectionGrpc.AsyncService {
    @Override
    public void campaign(CampaignRequest request, StreamObserver<CampaignResponse> answer) {
      programs.answer(answer, () -> lead(request));
    }

    @Override
    public void proclaim(ProclaimRequest request, StreamObserver<ProclaimResponse> answer) {
      programs.answer(answer, () -> say(request));
    }

    @Override
    public void leader(LeaderRequest request, StreamObserver<LeaderResponse> answer) {
      programs.answer(
          answer,
          () -> {
            RangeResponse oldest = store.range(new WaitingLine(store, request.getName()).oldest());
            if (oldest.getKvsCount() == 0) {
              throw RecipeException.noLeader();
            }
            return LeaderResponse.newBuilder().setHeader(oldest.getHeader()).setKv(oldest.getKvs(0)).build();
          });
    }

    @Override
    public void observe(LeaderRequest request, StreamObserver<LeaderResponse> answer) {
      PacedStream<LeaderResponse> paced = new PacedStream<>((ServerCallStreamObserver<LeaderResponse>) answer);
      programs.run(answer, new Observation(store, new WaitingLine(store, request.getName()), paced));
    }

    @Override
    public void resign(ResignRequest request, StreamObserver<ResignResponse> answer) {
      programs.answer(answer, () -> stepDown(request));
    }
  }

  private CampaignResponse lead(CampaignRequest request) {
    long lease = store.session(request.getLease());
    WaitingLine line = new WaitingLine(store, request.getName());
    WaitingLine.Place place = line.enter(lease, request.getValue());
    try {
      if (!place.taken() && !place.present().getValue().equals(request.getValue())) {
        proclaim(place.key(), place.revision(), lease, request.getValue());
      }
    } catch (RuntimeException refused) {
      line.leave(place);
      throw refused;
    }
    try {
      line.awaitTurn(place.revision());
    } catch (RuntimeException failed) {
      if (Context.current().isCancelled()) {
        line.leave(place);
      }
      throw failed;
    }
    return CampaignResponse.newBuilder()
        .setHeader(place.answer().getHeader())
        .setLeader(LeaderKey.newBuilder().setName(request.getName()).setKey(place.key()).setRev(place.revision()).setLease(lease))
        .build();
  }

  private ResponseHeader proclaim(ByteString key, long revision, long lease, ByteString value) {
    RequestOp put = RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value).setLease(lease)).build();
    TxnResponse response = store.guarded(key, revision, put);
    if (!response.getSucceeded()) {
      throw RecipeException.notLeader();
    }
    return response.getHeader();
  }

  private ProclaimResponse say(ProclaimRequest request) {
    if (!request.hasLeader()) {
      throw RecipeException.leaderMissing();
    }
    LeaderKey leader = request.getLeader();
    ResponseHeader header = proclaim(leader.getKey(), leader.getRev(), store.session(leader.getLease()), request.getValue());
    return ProclaimResponse.newBuilder().setHeader(header).build();
  }

  private ResignResponse stepDown(ResignRequest request) {
    if (!request.hasLeader()) {
      throw RecipeException.leaderMissing();
    }
    LeaderKey leader = request.getLeader();
    RequestOp delete = RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(leader.getKey())).build();
    return ResignResponse.newBuilder().setHeader(store.guarded(leader.getKey(), leader.getRev(), delete).getHeader()).build();
  }
}
