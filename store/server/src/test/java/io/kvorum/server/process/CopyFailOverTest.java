package io.kvorum.server.process;

import static io.kvorum.server.process.CopyRig.await;
import static io.kvorum.server.process.CopyRig.put;
import static io.kvorum.server.process.WatchClient.on;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.base.FreePorts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The copy while members fail, the cluster compacts what it missed, or takes its permission away. */
@Timeout(120)
class CopyFailOverTest {
  @TempDir Path temp;

  /** A member that is not there. */
  private static ManagedChannel nowhere() {
    return NettyChannelBuilder.forAddress("127.0.0.1", FreePorts.one()).usePlaintext().build();
  }

  /** A leader that changes on a busy machine is none of this test's business. */
  private static long putAtLast(ManagedChannel channel, String key, String value) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CopyRig.DEADLINE_SECONDS);
    while (true) {
      try {
        return put(channel, key, value);
      } catch (StatusRuntimeException notNow) {
        assertThat(System.nanoTime()).as(notNow.getMessage()).isLessThan(end);
      }
    }
  }

  @Test
  void revisions_never_go_back_over_members_that_are_left_and_that_die() throws Exception {
    List<LoneMember> members = new ArrayList<>(LoneMember.three(temp.resolve("cluster"), "--election-timeout=2000"));
    Random random = new Random(5);
    ManagedChannel writer = members.getFirst().channel;
    long revision = put(writer, "p/0", "begin");
    AtomicBoolean done = new AtomicBoolean();
    AtomicReference<String> wrong = new AtomicReference<>();
    try (CopyRig rig = new CopyRig(temp.resolve("copy"), members.get(1).channel, List.of("p/", "q/"));
        WatchClient watcher = new WatchClient(rig.local);
        WatchClient expected = new WatchClient(writer)) {
      rig.awaitLive();
      for (WatchClient client : List.of(watcher, expected)) {
        client.create(on("p/", "p0").setStartRevision(rig.copy.store().revision() + 1));
        client.answer();
      }
      Thread reader =
          Thread.ofPlatform()
              .start(
                  () -> {
                    long highest = 0;
                    while (!done.get()) {
                      long seen = rig.copy.store().revision();
                      wrong.compareAndSet(null, seen < highest ? seen + " after " + highest : null);
                      highest = seen;
                      LockSupport.parkNanos(100_000);
                    }
                  });
      for (int i = 0; i < 240; i++) {
        revision = putAtLast(writer, (random.nextBoolean() ? "p/" : "q/") + random.nextInt(10), "v" + i);
        if (i % 30 == 10) {
          rig.upstream.turn(members.get(random.nextInt(members.size())).channel);
        }
        if (i == 120) {
          LoneMember dead = members.removeLast();
          rig.upstream.turn(dead.channel);
          dead.close();
          rig.upstream.turn(members.getLast().channel);
        }
      }
      rig.reach(revision);
      for (String prefix : List.of("p/", "q/")) {
        assertThat(rig.here(prefix, revision)).isEqualTo(CopyRig.there(writer, prefix, revision));
      }
      putAtLast(writer, "p/last", "of all");
      await(() -> watcher.events(0).stream().anyMatch(event -> event.getKv().getKey().toStringUtf8().equals("p/last")));
      await(() -> expected.events(0).size() >= watcher.events(0).size());
      assertThat(watcher.events(0)).isEqualTo(expected.events(0)).hasSizeGreaterThan(50);
      assertThat(watcher.faults()).isEmpty();
      done.set(true);
      reader.join();
      assertThat(wrong.get()).isNull();
    } finally {
      done.set(true);
      for (LoneMember member : members) {
        member.close();
      }
    }
  }

  @Test
  void cut_off_it_keeps_what_it_has_and_after_a_compaction_it_begins_anew() throws Exception {
    ManagedChannel nowhere = nowhere();
    try (LoneMember member = new LoneMember(temp.resolve("m"));
        CopyRig rig = new CopyRig(temp.resolve("copy"), member.channel, List.of("p/"))) {
      for (int i = 0; i < 20; i++) {
        put(member.channel, "p/" + i, "first");
      }
      rig.awaitLive();
      rig.reach(put(member.channel, "p/0", "second"));
      try (WatchClient watcher = new WatchClient(rig.local);
          WatchClient leader = withLeader(rig)) {
        watcher.create(on("p/", "p0"));
        watcher.answer();
        leader.create(on("p/", "p0"));
        leader.answer();
        long before = rig.copy.store().revision();
        List<ByteString> content = rig.here("p/", 0);
        rig.upstream.turn(nowhere);
        long revision = 0;
        for (int i = 0; i < 30; i++) {
          revision = CopyRig.delete(member.channel, "p/" + i % 10);
          revision = put(member.channel, "p/" + i, "third");
        }
        CopyRig.delete(member.channel, "p/19");
        revision = CopyRig.delete(member.channel, "p/18");
        await(() -> rig.copy.state() instanceof State.CutOff);
        assertThat(rig.here("p/", 0)).isEqualTo(content);
        assertThat(rig.copy.store().revision()).isEqualTo(before);
        Status ended = leader.ended.get(CopyRig.DEADLINE_SECONDS, TimeUnit.SECONDS);
        assertThat(ended.getDescription()).isEqualTo("etcdserver: no leader");
        assertThat(watcher.ended).isNotDone();
        try (WatchClient refused = withLeader(rig)) {
          assertThat(refused.ended.get(CopyRig.DEADLINE_SECONDS, TimeUnit.SECONDS).getDescription()).isEqualTo("etcdserver: no leader");
        }

        CopyRig.compact(member.channel, revision);
        rig.upstream.turn(member.channel);
        rig.awaitLive();
        long newest = revision;
        await(() -> rig.copy.store().revision() >= newest);
        assertThat(rig.copy.store().compactRevision()).isEqualTo(revision);
        assertThat(rig.here("p/", revision)).isEqualTo(CopyRig.there(member.channel, "p/", revision));
        WatchResponse cancelled = watcher.answer();
        assertThat(cancelled.getCanceled()).isTrue();
        assertThat(cancelled.getCompactRevision()).isEqualTo(revision);
        assertThat(watcher.events()).as("nothing was invented").isEmpty();
        watcher.create(on("p/", "p0").setStartRevision(revision + 1));
        assertThat(watcher.answer().getWatchId()).isEqualTo(1);
        put(member.channel, "p/18", "again");
        await(() -> watcher.events(1).size() == 1);
      }
    } finally {
      nowhere.shutdownNow();
    }
  }

  private static WatchClient withLeader(CopyRig rig) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER), "true");
    return new WatchClient(ClientInterceptors.intercept(rig.local, MetadataUtils.newAttachHeadersInterceptor(headers)));
  }

  @Test
  void a_gap_without_compaction_is_filled_from_history() throws Exception {
    ManagedChannel nowhere = nowhere();
    try (LoneMember member = new LoneMember(temp.resolve("m"));
        CopyRig rig = new CopyRig(temp.resolve("copy"), member.channel, List.of("p/"))) {
      rig.awaitLive();
      long base = rig.copy.store().compactRevision();
      try (WatchClient watcher = new WatchClient(rig.local)) {
        watcher.create(on("p/", "p0"));
        watcher.answer();
        rig.upstream.turn(nowhere);
        long revision = 0;
        for (int i = 0; i < 30; i++) {
          revision = put(member.channel, "p/" + i % 7, "v" + i);
        }
        rig.upstream.turn(member.channel);
        rig.reach(revision);
        await(() -> watcher.events(0).size() == 30);
        assertThat(rig.copy.store().compactRevision()).as("no fresh base").isEqualTo(base);
        for (long at = base; at <= revision; at++) {
          assertThat(rig.here("p/", at)).isEqualTo(CopyRig.there(member.channel, "p/", at));
        }
      }
    } finally {
      nowhere.shutdownNow();
    }
  }

  @Test
  void a_permission_that_is_taken_away_ends_the_copy_and_one_given_back_brings_it_again() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m"))) {
      AuthGrpc.AuthBlockingStub open = AuthGrpc.newBlockingStub(member.channel);
      for (String user : List.of("root", "agent")) {
        open.userAdd(AuthUserAddRequest.newBuilder().setName(user).setPassword(user).build());
      }
      open.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
      open.roleAdd(AuthRoleAddRequest.newBuilder().setName("p").build());
      open.roleGrantPermission(
          AuthRoleGrantPermissionRequest.newBuilder()
              .setName("p")
              .setPerm(
                  Permission.newBuilder()
                      .setPermType(Permission.Type.READWRITE)
                      .setKey(ByteString.copyFromUtf8("p/"))
                      .setRangeEnd(ByteString.copyFromUtf8("p0")))
              .build());
      open.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("agent").setRole("p").build());
      open.authEnable(AuthEnableRequest.getDefaultInstance());
      io.grpc.Channel root = as(member.channel, "root");
      io.grpc.Channel agent = as(member.channel, "agent");
      put(agent, "p/1", "mine");
      try (CopyRig rig = new CopyRig(temp.resolve("copy"), agent, List.of("p/"));
          WatchClient watcher = new WatchClient(rig.local)) {
        rig.awaitLive();
        watcher.create(on("p/", "p0"));
        watcher.answer();
        // What may not be watched is refused in the member's words, and the stream goes on.
        watcher.create(on("other"));
        WatchResponse denied = watcher.answer();
        assertThat(denied.getCanceled()).isTrue();
        assertThat(denied.getWatchId()).isEqualTo(-1);
        assertThat(denied.getCancelReason()).isEqualTo("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
        watcher.create(on("p/1"));
        assertThat(watcher.answer().getWatchId()).isEqualTo(1);

        AuthUserRevokeRoleRequest revoke = AuthUserRevokeRoleRequest.newBuilder().setName("agent").setRole("p").build();
        AuthGrpc.newBlockingStub(root).userRevokeRole(revoke);
        await(() -> rig.copy.state() instanceof State.Refused);
        assertThat(((State.Refused) rig.copy.state()).status().getDescription()).isEqualTo("etcdserver: permission denied");
        Status ended = watcher.ended.get(CopyRig.DEADLINE_SECONDS, TimeUnit.SECONDS);
        assertThat(ended.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(ended.getDescription()).isEqualTo("etcdserver: permission denied");
        await(() -> rig.copy.store().sizeBytes() == 0);

        AuthGrpc.newBlockingStub(root).userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("agent").setRole("p").build());
        rig.awaitLive();
        rig.reach(put(agent, "p/2", "again"));
        assertThat(rig.here("p/", 0)).hasSize(2);
      }
    }
  }

  private static io.grpc.Channel as(ManagedChannel channel, String user) {
    String token = AuthGrpc.newBlockingStub(channel).authenticate(AuthenticateRequest.newBuilder().setName(user).setPassword(user).build()).getToken();
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER), token);
    return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }
}
