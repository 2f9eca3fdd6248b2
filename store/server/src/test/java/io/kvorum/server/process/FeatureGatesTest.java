package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.DefragmentRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthCheckResponse.ServingStatus;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.peer.NettyPeerChannels;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What etcd's feature gates do here, beside the comparisons of contents. */
class FeatureGatesTest {
  @TempDir Path temp;

  private static LinkedBlockingQueue<ServingStatus> watch(LoneMember member) {
    LinkedBlockingQueue<ServingStatus> seen = new LinkedBlockingQueue<>();
    HealthGrpc.newStub(member.channel)
        .watch(
            HealthCheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(HealthCheckResponse answer) {
                seen.add(answer.getStatus());
              }

              @Override
              public void onError(Throwable end) {}

              @Override
              public void onCompleted() {}
            });
    return seen;
  }

  private static ServingStatus next(LinkedBlockingQueue<ServingStatus> seen) throws InterruptedException {
    return seen.poll(30, TimeUnit.SECONDS);
  }

  @Test
  void health_says_not_serving_during_a_defragmentation_where_the_gate_wants_it() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("on"), "--feature-gates=StopGRPCServiceOnDefrag=true")) {
      LinkedBlockingQueue<ServingStatus> seen = watch(member);
      assertThat(next(seen)).isEqualTo(ServingStatus.SERVING);
      MaintenanceGrpc.newBlockingStub(member.channel).defragment(DefragmentRequest.getDefaultInstance());
      assertThat(next(seen)).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(next(seen)).isEqualTo(ServingStatus.SERVING);
      assertThat(HealthGrpc.newBlockingStub(member.channel).check(HealthCheckRequest.getDefaultInstance()).getStatus()).isEqualTo(ServingStatus.SERVING);
    }
    try (LoneMember member = new LoneMember(temp.resolve("off"))) {
      LinkedBlockingQueue<ServingStatus> seen = watch(member);
      assertThat(next(seen)).isEqualTo(ServingStatus.SERVING);
      MaintenanceGrpc.newBlockingStub(member.channel).defragment(DefragmentRequest.getDefaultInstance());
      HealthGrpc.newBlockingStub(member.channel).check(HealthCheckRequest.getDefaultInstance());
      assertThat(seen).isEmpty();
    }
  }

  @Test
  void the_address_that_a_member_calls_from() throws Exception {
    assertThat(PeerNetwork.localAddress(List.of("https://name:1", "http://127.0.0.1:2", "http://0.0.0.0:2", "http://192.0.2.7:3", "http://192.0.2.8:3")))
        .isEqualTo(InetAddress.ofLiteral("192.0.2.7"));
    assertThat(PeerNetwork.localAddress(List.of("https://[2001:db8::1]:1"))).isEqualTo(InetAddress.ofLiteral("2001:db8::1"));
    assertThat(PeerNetwork.localAddress(List.of("http://127.0.0.1:2", "http://[::1]:2"))).isNull();

    InetAddress local = InetAddress.ofLiteral("127.0.0.9");
    try (EventLoops loops = EventLoops.single("local-address-test"); ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port.setSoTimeout(30_000);
      NettyPeerChannels channels = new NettyPeerChannels(loops.group(), loops.clientChannel(), null, local);
      var channel = channels.open(PeerUrls.parse("http://127.0.0.1:" + port.getLocalPort()));
      channel.getState(true);
      try (Socket caller = port.accept()) {
        assertThat(caller.getInetAddress()).isEqualTo(local);
      }
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
