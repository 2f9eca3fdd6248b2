package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.range;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.LinearizableReads;
import io.kvorum.server.base.Proposals;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A caller that has gone away disturbs nobody: neither the thread that would answer it nor the store's views. */
class CancelledCallTest {
  private static final ResponseHeader HEADER = ResponseHeader.newBuilder().setRevision(2).build();

  private final BlockingQueue<Completion<PutResponse>> writes = new LinkedBlockingQueue<>();
  private final BlockingQueue<Completion<Void>> reads = new LinkedBlockingQueue<>();
  private final CountDownLatch serverSawCancel = new CountDownLatch(1);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final ModelStore store = new ModelStore();
  private Server server;
  private ManagedChannel channel;

  private final class Held implements Proposals, LinearizableReads {
    @Override
    @SuppressWarnings("unchecked")
    public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
      Context.current().addListener(context -> serverSawCancel.countDown(), Runnable::run);
      writes.add((Completion<PutResponse>) completion);
    }

    @Override
    public void proposeMembership(MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void await(Completion<Void> completion) {
      Context.current().addListener(context -> serverSawCancel.countDown(), Runnable::run);
      reads.add(completion);
    }
  }

  @BeforeEach
  void start() throws Exception {
    Held held = new Held();
    RaftStatus status = KvServer.status(Role.LEADER, 5, List.of(5L), List.of());
    Kernel kernel = new Kernel(1, 5, store, () -> status, held, held, KvServer.LIMITS);
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server =
        NettyServerBuilder.forAddress(address)
            .directExecutor()
            .addService(new KvService(kernel, Access.of(new AuthState()), new RevisionWaits(timer, timer, 100), timer).bind())
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort())).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    timer.shutdownNow();
  }

  @Test
  void anAnsweredPutWhoseCallerLeftIsDropped() throws Exception {
    var call = KVGrpc.newFutureStub(channel).put(put("a", "1").build());
    Completion<PutResponse> completion = writes.poll(30, TimeUnit.SECONDS);
    call.cancel(true);
    assertThat(serverSawCancel.await(30, TimeUnit.SECONDS)).isTrue();
    assertThatCode(() -> completion.done(PutResponse.newBuilder().setHeader(HEADER).build())).doesNotThrowAnyException();
  }

  @Test
  void aRefusedPutWhoseCallerLeftIsDropped() throws Exception {
    var call = KVGrpc.newFutureStub(channel).put(put("a", "1").build());
    Completion<PutResponse> completion = writes.poll(30, TimeUnit.SECONDS);
    call.cancel(true);
    assertThat(serverSawCancel.await(30, TimeUnit.SECONDS)).isTrue();
    assertThatCode(() -> completion.failed(EtcdError.TIMED_OUT.exception())).doesNotThrowAnyException();
  }

  @Test
  void aReadWhoseCallerLeftClosesItsView() throws Exception {
    var call = KVGrpc.newFutureStub(channel).range(range("a").build());
    Completion<Void> completion = reads.poll(30, TimeUnit.SECONDS);
    call.cancel(true);
    assertThat(serverSawCancel.await(30, TimeUnit.SECONDS)).isTrue();
    assertThatCode(() -> completion.done(null)).doesNotThrowAnyException();
    assertThat(store.leakedViews()).isZero();
  }

  @Test
  void anOutcomeArrivesAfterALongWaitAndOnAnotherThread() throws Exception {
    var call = KVGrpc.newFutureStub(channel).put(put("a", "1").build());
    Completion<PutResponse> completion = writes.poll(30, TimeUnit.SECONDS);
    timer.execute(() -> completion.done(PutResponse.newBuilder().setHeader(HEADER).build()));
    assertThat(call.get(30, TimeUnit.SECONDS).getHeader().getRevision()).isEqualTo(2);
  }
}
