package io.kvorum.server.agent.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.front.EventLoops;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which calls are made again, and where, against members that answer as they are told. */
@Timeout(60)
class UpstreamTest {
  private final EventLoops loops = EventLoops.single("test");
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    timer.shutdownNow();
    loops.close();
  }

  /** A member that refuses everything with this status, or answers, null, with its revision. */
  private final class Scripted extends KVGrpc.KVImplBase {
    private final Server server;
    private final long revision;
    private final AtomicInteger calls = new AtomicInteger();
    private volatile Status refusal;

    Scripted(long revision, Status refusal) throws Exception {
      this(FreePorts.one(), revision, refusal);
    }

    Scripted(int port, long revision, Status refusal) throws Exception {
      this.revision = revision;
      this.refusal = refusal;
      server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port)).addService(this).build().start();
      open.add(server::shutdownNow);
    }

    Address address() {
      return new Address("127.0.0.1", server.getPort(), false);
    }

    private <T> void answer(StreamObserver<T> observer, T answer) {
      calls.incrementAndGet();
      if (refusal != null) {
        observer.onError(refusal.asRuntimeException());
      } else {
        observer.onNext(answer);
        observer.onCompleted();
      }
    }

    private ResponseHeader header() {
      return ResponseHeader.newBuilder().setRevision(revision).build();
    }

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> observer) {
      answer(observer, RangeResponse.newBuilder().setHeader(header()).build());
    }

    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> observer) {
      answer(observer, PutResponse.newBuilder().setHeader(header()).build());
    }
  }

  private Upstream upstream(Address... members) throws Exception {
    TlsSettings none = new TlsSettings("", "", "", "", "", "", false, List.of(), List.of(), false, false, 1, List.of(), "TLS1.2", "");
    UpstreamSettings settings =
        new UpstreamSettings(
            List.of(members), none, new Credentials.Nobody(), Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofSeconds(6), 1 << 20);
    RandomGenerator first = () -> 0;
    Upstream upstream = Upstream.open(settings, loops, timer, System::nanoTime, first);
    open.add(upstream);
    return upstream;
  }

  private static KVGrpc.KVBlockingStub kv(Upstream upstream) {
    return KVGrpc.newBlockingStub(upstream.channel()).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private static final RangeRequest GET = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).build();
  private static final PutRequest PUT = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).build();

  @Test
  void a_read_is_made_again_with_another_member_and_a_write_that_has_left_is_not() throws Exception {
    Scripted broken = new Scripted(1, EtcdError.NO_LEADER.status());
    Scripted good = new Scripted(7, null);
    Upstream upstream = upstream(broken.address(), good.address());
    assertThatThrownBy(() -> kv(upstream).put(PUT)).hasMessage("UNAVAILABLE: etcdserver: no leader");
    assertThat(good.calls).hasValue(0);
    assertThat(kv(upstream).put(PUT).getHeader().getRevision()).as("the next call goes elsewhere").isEqualTo(7);
    assertThat(broken.calls).hasValue(1);

    Upstream other = upstream(broken.address(), good.address());
    assertThat(kv(other).range(GET).getHeader().getRevision()).isEqualTo(7);
    assertThat(broken.calls).hasValue(2);
    assertThat(other.seen()).isEqualTo(7);
  }

  @Test
  void a_read_that_no_member_can_answer_ends_with_their_own_words() throws Exception {
    Scripted first = new Scripted(1, EtcdError.NO_LEADER.status());
    Scripted second = new Scripted(1, EtcdError.NO_LEADER.status());
    Upstream upstream = upstream(first.address(), second.address());
    assertThatThrownBy(() -> kv(upstream).range(GET)).hasMessage("UNAVAILABLE: etcdserver: no leader");
    assertThat(first.calls.get() + second.calls.get()).isBetween(2, 4);
  }

  @Test
  void refusals_are_answers() throws Exception {
    Scripted first = new Scripted(1, EtcdError.PERMISSION_DENIED.status());
    Scripted second = new Scripted(1, null);
    Upstream upstream = upstream(first.address(), second.address());
    assertThatThrownBy(() -> kv(upstream).range(GET)).hasMessage("PERMISSION_DENIED: etcdserver: permission denied");
    assertThat(second.calls).hasValue(0);
  }

  @Test
  void a_member_that_is_not_there_costs_a_write_nothing_and_one_that_says_nothing_a_moment() throws Exception {
    Address nobody = new Address("127.0.0.1", FreePorts.one(), false);
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Scripted good = new Scripted(7, null);
      assertThat(kv(upstream(nobody, good.address())).put(PUT).getHeader().getRevision()).isEqualTo(7);
      assertThat(kv(upstream(new Address("127.0.0.1", silent.getLocalPort(), false), good.address())).put(PUT).getHeader().getRevision()).isEqualTo(7);
    }
  }

  @Test
  void a_member_that_comes_back_within_the_dial_timeout_is_waited_for() throws Exception {
    int port = FreePorts.one();
    Upstream upstream = upstream(new Address("127.0.0.1", port, false));
    var answer = KVGrpc.newFutureStub(upstream.channel()).put(PUT);
    assertThat(answer.isDone()).isFalse();
    new Scripted(port, 9, null);
    assertThat(answer.get(20, TimeUnit.SECONDS).getHeader().getRevision()).isEqualTo(9);
  }

  @Test
  void without_any_member_a_call_fails_within_the_dial_timeout_and_sooner_by_its_own_deadline() throws Exception {
    Upstream upstream = upstream(new Address("127.0.0.1", FreePorts.one(), false), new Address("127.0.0.1", FreePorts.one(), false));
    long began = System.nanoTime();
    assertThatThrownBy(() -> kv(upstream).withWaitForReady().put(PUT))
        .hasMessage("UNAVAILABLE: etcdserver: request timed out, possibly due to connection lost");
    assertThat(System.nanoTime() - began).isBetween(TimeUnit.MILLISECONDS.toNanos(900), TimeUnit.SECONDS.toNanos(5));
    assertThatThrownBy(() -> kv(upstream).withDeadlineAfter(100, TimeUnit.MILLISECONDS).put(PUT)).hasMessageStartingWith("DEADLINE_EXCEEDED: ");
  }

  @Test
  void the_revision_of_an_encoded_answer_is_that_of_its_header() {
    ResponseHeader header = ResponseHeader.newBuilder().setClusterId(-1).setMemberId(7).setRevision(1L << 40).setRaftTerm(3).build();
    assertThat(Seen.revisionOf(RangeResponse.newBuilder().setHeader(header).setCount(9).build().toByteArray())).isEqualTo(1L << 40);
    assertThat(Seen.revisionOf(RangeResponse.newBuilder().setCount(9).build().toByteArray())).isZero();
    assertThat(Seen.revisionOf(new byte[0])).isZero();
    assertThat(Seen.revisionOf(new byte[] {10, 127, 1})).isZero();
  }
}
