package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of a member in this process into a folder, and members that are restored from them. */
class BackupCommandsTest {
  @TempDir Path temp;

  private JsonObject backup(BackupWorld world, LoneMember member, String id, String type, String... more) {
    String[] arguments = new String[4 + more.length];
    System.arraycopy(new String[] {"backup", "--endpoints=" + member.url, "--id=" + id, "--type=" + type}, 0, arguments, 0, 4);
    System.arraycopy(more, 0, arguments, 4, more.length);
    return world.run(0, arguments);
  }

  private static void delete(ManagedChannel channel, String key) {
    KVGrpc.newBlockingStub(channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build());
  }

  /** A member whose newest checkpoint holds some keys, a deletion and a compaction: it was stopped once. */
  private LoneMember filled(Path data) throws Exception {
    try (LoneMember member = new LoneMember(data)) {
      for (int i = 0; i < 30; i++) {
        BackupWorld.put(member.channel, "k" + i % 10, 1_000 + i);
      }
      delete(member.channel, "k3");
      KVGrpc.newBlockingStub(member.channel).compact(CompactionRequest.newBuilder().setRevision(12).build());
    }
    return new LoneMember(data);
  }

  @Test
  void a_full_backup_and_its_deltas_restore_to_every_revision_and_to_a_time() throws Exception {
    BackupWorld world = new BackupWorld(temp.resolve("repository"));
    Map<Long, List<?>> ranges = new TreeMap<>();
    Map<Long, Long> hashes = new TreeMap<>();
    long atTime;
    Instant time;
    try (LoneMember member = filled(temp.resolve("source"))) {
      ManagedChannel channel = member.channel;
      note(channel, BackupWorld.put(channel, "a", 10), ranges, hashes);
      JsonObject full = backup(world, member, "full", "full");
      assertThat(full.get("toRevision").getAsLong()).isEqualTo(33);
      assertThat(full.get("contentHash").getAsLong()).isEqualTo(hashes.get(33L));
      assertThat(full.get("fromRevision").getAsLong()).isEqualTo(32);

      note(channel, BackupWorld.put(channel, "b", 20), ranges, hashes);
      JsonObject first = backup(world, member, "first", "delta");
      assertThat(first.get("previous").getAsString()).isEqualTo("full");
      assertThat(first.get("previousSha256").getAsString()).isEqualTo(full.get("sha256").getAsString());
      note(channel, BackupWorld.put(channel, "a", 30), ranges, hashes);
      atTime = BackupWorld.put(channel, "c", 40);
      note(channel, atTime, ranges, hashes);
      // The next entry is later than this by the leader's clock.
      time = awaitNextMilli();
      awaitNextMilli();
      delete(channel, "k1");
      note(channel, BackupWorld.put(channel, "d", 50), ranges, hashes);
      JsonObject second = backup(world, member, "second", "delta");
      assertThat(second.get("previous").getAsString()).isEqualTo("first");
      assertThat(second.get("newBytes").getAsLong()).isLessThan(5_000);
      assertThat(world.run(0, "backup", "list").getAsJsonArray("backups")).hasSize(3);
      JsonObject again = backup(world, member, "second", "delta");
      assertThat(again.get("sha256")).isEqualTo(second.get("sha256"));
    }
    for (long revision : ranges.keySet()) {
      restoresTo(world, "revision-" + revision, revision, ranges, hashes, "--latest", "--revision=" + revision);
    }
    restoresTo(world, "time", atTime, ranges, hashes, "--latest", "--time=" + time);
    restoresTo(world, "id", 34, ranges, hashes, "--id=first");
    JsonObject refused = world.run(1, "restore", "--latest", "--revision=99", "--data-dir=" + temp.resolve("none"));
    assertThat(refused.get("reason").getAsString()).isEqualTo("NotFound");
    assertThat(refused.get("message").getAsString()).contains("revisions 32 to 38");
    assertThat(temp.resolve("none")).doesNotExist();
    assertThat(world.run(0, "verify", "--id=second", "--scratch=" + temp).get("hashMatched").getAsBoolean()).isTrue();
    assertThat(world.run(1, "backup", "delete", "--id=full").get("reason").getAsString()).isEqualTo("InUse");
    assertThat(world.run(0, "backup", "delete", "--id=full", "--cascade", "--grace=0").getAsJsonArray("deleted")).hasSize(3);
    assertThat(world.bytes()).isZero();
  }

  private static Instant awaitNextMilli() throws InterruptedException {
    Instant now = Instant.ofEpochMilli(System.currentTimeMillis());
    while (System.currentTimeMillis() <= now.toEpochMilli()) {
      Thread.sleep(1);
    }
    return now;
  }

  private static void note(ManagedChannel channel, long revision, Map<Long, List<?>> ranges, Map<Long, Long> hashes) {
    ranges.put(revision, BackupWorld.everything(channel, revision));
    hashes.put(revision, BackupWorld.hash(channel, revision));
  }

  /** As the source was then, with its history, and at the same revision. */
  private void restoresTo(BackupWorld world, String name, long revision, Map<Long, List<?>> ranges, Map<Long, Long> hashes, String... which) throws Exception {
    Path data = temp.resolve(name);
    String[] arguments = new String[4 + which.length];
    System.arraycopy(new String[] {"restore", "--data-dir=" + data, "--revision-bump=0", "--mark-compacted=false"}, 0, arguments, 0, 4);
    System.arraycopy(which, 0, arguments, 4, which.length);
    JsonObject result = world.run(0, arguments);
    assertThat(result.get("restoredRevision").getAsLong()).as(name).isEqualTo(revision);
    assertThat(result.get("contentHash").getAsLong()).as(name).isEqualTo(hashes.get(revision));
    assertThat(temp.resolve(name + ".importing")).doesNotExist();
    assertThat(data.resolve("member/received")).doesNotExist();
    try (LoneMember restored = new LoneMember(data)) {
      ranges.forEach(
          (at, range) -> {
            if (at <= revision) {
              assertThat(BackupWorld.everything(restored.channel, at)).as(name + " at " + at).isEqualTo(range);
              assertThat(BackupWorld.hash(restored.channel, at)).as(name + " at " + at).isEqualTo(hashes.get(at));
            }
          });
      assertThat(BackupWorld.put(restored.channel, "next", 1)).isEqualTo(revision + 1);
    }
  }

  @Test
  void leases_users_alarms_and_the_new_identity() throws Exception {
    BackupWorld world = new BackupWorld(temp.resolve("repository"));
    long clusterId;
    try (LoneMember member = filled(temp.resolve("source"))) {
      ManagedChannel channel = member.channel;
      LeaseGrpc.newBlockingStub(channel).leaseGrant(LeaseGrantRequest.newBuilder().setID(77).setTTL(3_600).build());
      BackupWorld.put(channel, "leased", 10, 77);
      MaintenanceGrpc.newBlockingStub(channel).alarm(AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setAlarm(AlarmType.NOSPACE).build());
      AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(channel);
      auth.userAdd(AuthUserAddRequest.newBuilder().setName("root").setPassword("secret").build());
      auth.roleAdd(AuthRoleAddRequest.newBuilder().setName("root").build());
      auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
      clusterId = ClusterGrpc.newBlockingStub(channel).memberList(MemberListRequest.getDefaultInstance()).getHeader().getClusterId();
      auth.authEnable(AuthEnableRequest.getDefaultInstance());

      Path password = Files.writeString(temp.resolve("password"), "secret\n");
      JsonObject nobody = world.run(1, "backup", "--endpoints=" + member.url, "--id=nobody");
      assertThat(nobody.get("message").getAsString()).contains("etcdserver: user name is empty");
      assertThat(nobody.get("reason").getAsString()).isEqualTo("Failed");
      Path wrong = Files.writeString(temp.resolve("wrong"), "guess");
      world.run(1, "backup", "--endpoints=" + member.url, "--user=root", "--password-file=" + wrong);
      assertThat(world.run(2, "backup", "--endpoints=" + member.url, "--user=root").get("message").getAsString()).contains("--password-file");
      Path result = temp.resolve("result.json");
      backup(world, member, "full", "full", "--user=root", "--password-file=" + password, "--result-file=" + result);
      assertThat(Files.readString(result)).startsWith("{\"ok\":true,\"command\":\"backup\",\"id\":\"full\"").hasSizeLessThan(4_096).doesNotContain("secret");
    }
    Path data = temp.resolve("restored");
    String[] restore = {"restore", "--latest", "--data-dir=" + data, "--initial-cluster-token=other", "--name=n", "--initial-cluster=n=http://localhost:2380"};
    JsonObject restored = world.run(0, restore);
    assertThat(restored.get("revision").getAsLong()).isEqualTo(restored.get("restoredRevision").getAsLong() + 1_000_000_000L);
    assertThat(world.run(0, restore)).as("the same again changes nothing").isEqualTo(restored);
    assertThat(world.run(1, "restore", "--latest", "--data-dir=" + data).get("message").getAsString()).contains("is not empty");
    try (LoneMember member = new LoneMember(data)) {
      AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(member.channel);
      String token = auth.authenticate(AuthenticateRequest.newBuilder().setName("root").setPassword("secret").build()).getToken();
      var root = PermissionWorld.token(token);
      LeaseTimeToLiveResponse lease =
          LeaseGrpc.newBlockingStub(member.channel).withInterceptors(root).leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(77).setKeys(true).build());
      assertThat(lease.getKeysList()).containsExactly(ByteString.copyFromUtf8("leased"));
      MemberListResponse members = ClusterGrpc.newBlockingStub(member.channel).withInterceptors(root).memberList(MemberListRequest.getDefaultInstance());
      assertThat(members.getHeader().getClusterId()).isNotEqualTo(clusterId);
      assertThat(HexFormat.of().toHexDigits(members.getHeader().getClusterId())).endsWith(restored.get("clusterID").getAsString());
      assertThat(members.getMembersCount()).isOne();
      AlarmResponse alarms = MaintenanceGrpc.newBlockingStub(member.channel).withInterceptors(root).alarm(AlarmRequest.getDefaultInstance());
      assertThat(alarms.getAlarms(0).getMemberID()).isEqualTo(members.getMembers(0).getID());
      assertThat(alarms.getAlarms(0).getAlarm()).isEqualTo(AlarmType.NOSPACE);
    }
    Path other = temp.resolve("other");
    Path given = Files.writeString(temp.resolve("given"), "another\n");
    world.run(0, "restore", "--latest", "--data-dir=" + other, "--root-password-file=" + given);
    try (LoneMember member = new LoneMember(other)) {
      AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(member.channel);
      assertThat(auth.authenticate(AuthenticateRequest.newBuilder().setName("root").setPassword("another").build()).getToken()).isNotEmpty();
      assertThatThrownBy(() -> auth.authenticate(AuthenticateRequest.newBuilder().setName("root").setPassword("secret").build()))
          .hasMessageContaining("authentication failed");
    }
  }

  @Test
  void the_second_full_backup_ships_what_is_new() throws Exception {
    BackupWorld world = new BackupWorld(temp.resolve("repository"));
    Path data = temp.resolve("source");
    try (LoneMember member = new LoneMember(data)) {
      for (int i = 0; i < 20; i++) {
        BackupWorld.put(member.channel, "k" + i, 100_000);
      }
    }
    try (LoneMember member = new LoneMember(data)) {
      JsonObject first = backup(world, member, "first", "full");
      assertThat(first.get("newBytes").getAsLong()).isEqualTo(world.bytes()).isGreaterThan(2_000_000);
      for (int i = 0; i < 5; i++) {
        BackupWorld.put(member.channel, "l" + i, 1_000);
      }
      JsonObject second = backup(world, member, "second", "full");
      assertThat(second.get("newBytes").getAsLong()).isBetween(5_000L, 20_000L);
      assertThat(second.get("sizeBytes").getAsLong()).isGreaterThan(2_000_000);
      assertThat(world.bytes()).isEqualTo(first.get("newBytes").getAsLong() + second.get("newBytes").getAsLong());
    }
    assertThat(world.run(0, "verify", "--id=second", "--scratch=" + temp).get("hashMatched").getAsBoolean()).isTrue();
  }

  @Test
  void damage_is_found() throws Exception {
    BackupWorld world = new BackupWorld(temp.resolve("repository"));
    try (LoneMember member = filled(temp.resolve("source"))) {
      BackupWorld.put(member.channel, "tail", 100);
      backup(world, member, "full", "full");
    }
    for (String kind : List.of("segments", "log", "state")) {
      Path object = world.files(kind).getFirst();
      byte[] good = Files.readAllBytes(object);
      byte[] bad = good.clone();
      bad[bad.length / 2] ^= 1;
      Files.write(object, bad);
      for (String how : List.of("--checksums-only", "--scratch=" + temp)) {
        JsonObject found = world.run(4, "verify", "--id=full", how);
        assertThat(found.get("reason").getAsString()).isEqualTo("ContentCorrupt");
        assertThat(found.get("message").getAsString()).contains(kind + "/" + object.getFileName());
      }
      world.run(4, "restore", "--id=full", "--data-dir=" + temp.resolve("damaged"));
      assertThat(temp.resolve("damaged")).doesNotExist();
      Files.delete(object);
      assertThat(world.run(4, "verify", "--id=full", "--scratch=" + temp).get("reason").getAsString()).isEqualTo("ContentCorrupt");
      Files.write(object, good);
    }
    world.run(0, "verify", "--id=full", "--scratch=" + temp);
    assertThat(world.run(1, "verify", "--id=none", "--scratch=" + temp).get("reason").getAsString()).isEqualTo("NotFound");
    assertThat(temp).isDirectoryNotContaining(file -> file.getFileName().toString().startsWith("kvorum-"));
  }

  @Test
  void an_encrypted_repository_wants_its_key() throws Exception {
    Path key = Files.write(temp.resolve("key"), new byte[32]);
    Path other = Files.writeString(temp.resolve("other"), "11".repeat(32));
    BackupWorld world = new BackupWorld(temp.resolve("repository"), "--encryption-key-file=" + key);
    try (LoneMember member = filled(temp.resolve("source"))) {
      BackupWorld.put(member.channel, "seen-by-nobody", 10);
      backup(world, member, "full", "full");
      BackupWorld.put(member.channel, "a", 10);
      backup(world, member, "delta", "delta");
      JsonObject refused = new BackupWorld(world.repository, "--encryption-key-file=" + other).run(1, "backup", "--endpoints=" + member.url);
      assertThat(refused.get("reason").getAsString()).isEqualTo("WrongKey");
      assertThat(new BackupWorld(world.repository).run(1, "backup", "--endpoints=" + member.url).get("reason").getAsString()).isEqualTo("WrongKey");
    }
    assertThat(new BackupWorld(world.repository).run(1, "restore", "--latest", "--data-dir=" + temp.resolve("none")).get("reason").getAsString()).isEqualTo("WrongKey");
    for (Path object : world.files("log")) {
      assertThat(new String(Files.readAllBytes(object), java.nio.charset.StandardCharsets.ISO_8859_1)).doesNotContain("seen-by-nobody");
    }
    assertThat(world.run(0, "verify", "--id=delta", "--scratch=" + temp).get("hashMatched").getAsBoolean()).isTrue();
    assertThat(world.run(0, "restore", "--latest", "--data-dir=" + temp.resolve("restored")).get("contentHashCompared").getAsBoolean()).isTrue();
    assertThat(new BackupWorld(world.repository).run(0, "backup", "list").getAsJsonArray("backups")).hasSize(2);
  }

  @Test
  void a_delta_without_what_it_goes_on_from_is_a_gap() throws Exception {
    BackupWorld world = new BackupWorld(temp.resolve("repository"));
    try (LoneMember member = filled(temp.resolve("source"))) {
      JsonObject none = world.run(3, "backup", "--endpoints=" + member.url, "--type=delta");
      assertThat(none.get("reason").getAsString()).isEqualTo("DeltaGap");
      backup(world, member, "full", "full");
      assertThat(world.run(1, "backup", "--endpoints=http://127.0.0.1:1", "--type=delta").get("reason").getAsString()).isEqualTo("SourceUnavailable");
    }
    // Another history under the same ids: what a recovery without the newest entries looks like.
    Path data = temp.resolve("source");
    JsonObject restored = world.run(0, "restore", "--id=full", "--data-dir=" + temp.resolve("restored"));
    assertThat(restored.get("ok").getAsBoolean()).isTrue();
    try (LoneMember member = new LoneMember(temp.resolve("restored"))) {
      JsonObject foreign = world.run(3, "backup", "--endpoints=" + member.url, "--type=delta");
      assertThat(foreign.get("message").getAsString()).contains("there is no backup of cluster");
    }
    assertThat(data).exists();
  }
}
