package io.kvorum.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.server.agent.upstream.Seen;
import io.kvorum.server.kv.TxnKind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads that are passed on, against a member that is behind. */
class RangesTest {
  private final LaggingMember member = new LaggingMember();
  private final Seen shown = new Seen();
  private Server upstream;
  private Server agent;
  private ManagedChannel up;
  private ManagedChannel down;

  /** Serializable reads are answered as of revision 5, linearizable ones as of 9. */
  private static final class LaggingMember extends KVGrpc.KVImplBase {
    private int serializable;
    private int linearizable;

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> observer) {
      serializable += request.getSerializable() ? 1 : 0;
      linearizable += request.getSerializable() ? 0 : 1;
      observer.onNext(RangeResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(request.getSerializable() ? 5 : 9)).build());
      observer.onCompleted();
    }

    @Override
    public void txn(TxnRequest request, StreamObserver<TxnResponse> observer) {
      boolean old = TxnKind.of(request) == TxnKind.SERIALIZABLE_READ;
      observer.onNext(TxnResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(old ? 5 : 9)).build());
      observer.onCompleted();
    }
  }

  private KVGrpc.KVBlockingStub calls() throws Exception {
    String name = InProcessServerBuilder.generateName();
    upstream = InProcessServerBuilder.forName(name).directExecutor().addService((BindableService) member).build().start();
    up = InProcessChannelBuilder.forName(name).directExecutor().build();
    String front = InProcessServerBuilder.generateName();
    Ranges ranges = new Ranges(up, shown, null);
    agent =
        InProcessServerBuilder.forName(front)
            .directExecutor()
            .addService(new Forwarding(up, shown).service(KVGrpc.getServiceDescriptor(), ranges.methods()))
            .build()
            .start();
    down = InProcessChannelBuilder.forName(front).directExecutor().build();
    return KVGrpc.newBlockingStub(down);
  }

  @AfterEach
  void close() {
    down.shutdownNow();
    agent.shutdownNow();
    up.shutdownNow();
    upstream.shutdownNow();
  }

  @Test
  void a_revision_below_what_was_told_before_is_not_shown() throws Exception {
    KVGrpc.KVBlockingStub calls = calls();
    RangeRequest linearizable = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).build();
    RangeRequest serializable = linearizable.toBuilder().setSerializable(true).build();
    assertThat(calls.range(serializable).getHeader().getRevision()).as("nothing was told before").isEqualTo(5);
    assertThat(calls.range(linearizable).getHeader().getRevision()).isEqualTo(9);
    assertThat(calls.range(serializable).getHeader().getRevision()).isEqualTo(9);
    TxnRequest inner = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestRange(serializable)).build();
    TxnRequest reads = inner.toBuilder().addFailure(RequestOp.newBuilder().setRequestTxn(inner)).build();
    assertThat(calls.txn(reads).getHeader().getRevision()).isEqualTo(9);
    assertThat(member.serializable).isEqualTo(2);
    assertThat(member.linearizable).isEqualTo(2);
  }
}
