package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.server.agent.dns.WatchedServices;
import io.kvorum.server.agent.registration.Endpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What DNS knows of a real member's services. */
@Timeout(120)
class WatchedServicesTest {
  @TempDir Path temp;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private LoneMember member;
  private WatchedServices services;

  @BeforeEach
  void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
  }

  @AfterEach
  void stop() throws Exception {
    if (services != null) {
      services.close();
    }
    timer.shutdownNow();
    member.close();
  }

  private void put(String place, String address) {
    KVGrpc.newBlockingStub(member.channel)
        .put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(place)).setValue(ByteString.copyFromUtf8(new Endpoint(address, Map.of()).toJson())).build());
  }

  private void delete(String place) {
    KVGrpc.newBlockingStub(member.channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(place)).build());
  }

  private List<String> hosts(String service) {
    return services.instances(service).stream().map(instance -> instance.host()).toList();
  }

  private void watch(Channel channel) {
    services = new WatchedServices(channel, "services", timer, new Random(3));
    services.start();
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting: " + what).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void what_was_there_and_each_change_is_known() throws Exception {
    for (int i = 0; i < 2_500; i++) {
      put("services/many/" + i, "10.0." + i / 250 + "." + i % 250 + ":80");
    }
    put("services/web/a", "10.9.0.1:80");
    put("servicesX/web/z", "10.9.0.9:80");
    watch(member.channel);
    await("what was there, in several pages", () -> services.isKnown());
    assertThat(services.instances("many")).hasSize(2_500);
    assertThat(hosts("web")).containsExactly("10.9.0.1");
    put("services/web/b", "10.9.0.2:80");
    put("services/web/a", "10.9.0.3:80");
    await("a put and a change", () -> hosts("web").equals(List.of("10.9.0.3", "10.9.0.2")));
    delete("services/web/a");
    delete("services/web/b");
    await("deletions", () -> services.instances("web").isEmpty());
  }

  /** Calls fail while it is cut, and streams are ended when it is. */
  private static final class Cable implements ClientInterceptor {
    private final java.util.Set<io.grpc.ClientCall<?, ?>> calls = java.util.concurrent.ConcurrentHashMap.newKeySet();
    private volatile boolean cut;

    void cut() {
      cut = true;
      calls.forEach(call -> call.cancel("cut", null));
      calls.clear();
    }

    @Override
    public <Q, A> io.grpc.ClientCall<Q, A> interceptCall(io.grpc.MethodDescriptor<Q, A> method, io.grpc.CallOptions options, Channel next) {
      io.grpc.ClientCall<Q, A> call = next.newCall(method, cut ? options.withDeadlineAfter(0, TimeUnit.NANOSECONDS) : options);
      calls.add(call);
      return call;
    }
  }

  @Test
  void cut_off_it_tells_what_it_last_knew_and_then_all_that_it_missed_also_when_that_was_compacted() throws Exception {
    Cable cable = new Cable();
    put("services/web/a", "10.9.0.1:80");
    put("services/web/b", "10.9.0.2:80");
    watch(ClientInterceptors.intercept(member.channel, cable));
    await("the first two", () -> hosts("web").size() == 2);

    cable.cut();
    delete("services/web/a");
    put("services/web/c", "10.9.0.3:80");
    assertThat(hosts("web")).containsExactly("10.9.0.1", "10.9.0.2");
    cable.cut = false;
    await("what was missed", () -> hosts("web").equals(List.of("10.9.0.2", "10.9.0.3")));

    cable.cut();
    delete("services/web/b");
    long revision = KVGrpc.newBlockingStub(member.channel)
        .put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("else")).build()).getHeader().getRevision();
    KVGrpc.newBlockingStub(member.channel).compact(CompactionRequest.newBuilder().setRevision(revision).build());
    cable.cut = false;
    await("what was missed and compacted", () -> hosts("web").equals(List.of("10.9.0.3")));
    assertThat(services.isKnown()).isTrue();
  }

  @Test
  void a_user_who_may_no_longer_read_the_services_learns_nothing_of_them() throws Exception {
    Map<String, String> tokens = new PermissionWorld(member.channel, "x").build();
    PermissionWorld.put(member.channel, tokens.get("root"), "b/web/a", new Endpoint("10.9.0.1:80", Map.of()).toJson());
    services = new WatchedServices(ClientInterceptors.intercept(member.channel, PermissionWorld.token(tokens.get("keeper"))), "b", timer, new Random(3));
    services.start();
    await("what it may read", () -> hosts("web").equals(List.of("10.9.0.1")));
    AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(member.channel).withInterceptors(PermissionWorld.token(tokens.get("root")));
    auth.userRevokeRole(AuthUserRevokeRoleRequest.newBuilder().setName("keeper").setRole("keeper").build());
    await("nothing is known", () -> !services.isKnown());
    assertThat(services.instances("web")).isEmpty();
    auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("keeper").setRole("keeper").build());
    await("known again", () -> services.isKnown() && hosts("web").equals(List.of("10.9.0.1")));
  }
}
