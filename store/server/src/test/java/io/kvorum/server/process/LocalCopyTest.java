package io.kvorum.server.process;

import static io.kvorum.server.process.CopyRig.await;
import static io.kvorum.server.process.CopyRig.put;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.agent.copy.LocalCopy;
import io.kvorum.server.metrics.MetricsText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The copy of one member's prefixes. */
@Timeout(120)
class LocalCopyTest {
  @TempDir static Path members;
  private static LoneMember member;
  private static ManagedChannel channel;

  @TempDir Path directory;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(members.resolve("m"));
    channel = member.channel;
  }

  @AfterAll
  static void stop() throws Exception {
    member.close();
  }

  private static ByteString key(String prefix, Random random) {
    return ByteString.copyFromUtf8(prefix + random.nextInt(20));
  }

  private static RequestOp op(ByteString key, Random random) {
    return RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(ByteString.copyFrom(new byte[random.nextInt(300)]))).build();
  }

  /** A transaction over several prefixes, or a write elsewhere. */
  private static long write(Random random, String... prefixes) {
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    for (String prefix : prefixes) {
      ByteString key = key(prefix, random);
      switch (random.nextInt(4)) {
        case 0 -> txn.addSuccess(RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key)));
        case 1, 2 -> txn.addSuccess(op(key, random));
        default -> txn.addSuccess(op(ByteString.copyFromUtf8("elsewhere"), random));
      }
      if (random.nextInt(3) == 0) {
        break;
      }
    }
    if (txn.getSuccessList().stream().filter(op -> op.hasRequestPut() && op.getRequestPut().getKey().toStringUtf8().equals("elsewhere")).count() > 1) {
      return CopyRig.put(channel, "elsewhere", "again");
    }
    return CopyRig.kv(channel).txn(txn.build()).getHeader().getRevision();
  }

  /** What earlier copies of this member had may still be on its way out. */
  private static void awaitWatchers(int count) throws Exception {
    await(() -> metric("etcd_debugging_mvcc_watcher_total").endsWith(" " + count));
  }

  private static String metric(String name) {
    try (InputStream in = URI.create(member.url + "/metrics").toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> line.startsWith(name + " ")).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void equals_the_cluster_at_every_revision_with_one_watch() throws Exception {
    Random random = new Random(11);
    for (int i = 0; i < 150; i++) {
      write(random, "one/", "other/");
    }
    try (CopyRig rig = new CopyRig(directory, channel, List.of("one/"))) {
      rig.awaitLive();
      long base = rig.copy.store().compactRevision();
      long revision = base;
      for (int i = 0; i < 300; i++) {
        revision = write(random, "one/", "other/");
      }
      rig.reach(revision);
      for (long at = base; at <= revision; at += 7) {
        assertThat(rig.here("one/", at)).isEqualTo(CopyRig.there(channel, "one/", at));
      }
      assertThat(rig.here("one/", revision)).isEqualTo(CopyRig.there(channel, "one/", revision)).isNotEmpty();
      awaitWatchers(1);
      assertThat(rig.copy.header(revision).getClusterId()).isNotZero();
      MetricsText text = new MetricsText();
      rig.copy.collect(text);
      assertThat(text.toString())
          .contains("kvorum_agent_copy_state{state=\"live\"} 1\n", "kvorum_agent_copy_revision " + revision + "\n", "kvorum_agent_upstream_watches 1\n");
    }
    awaitWatchers(0);
  }

  @Test
  void several_prefixes_are_at_one_revision_together() throws Exception {
    Random random = new Random(12);
    for (int i = 0; i < 50; i++) {
      write(random, "a/", "b/", "c/");
    }
    try (CopyRig rig = new CopyRig(directory, channel, List.of("c/", "a/", "a/1", "b/"))) {
      rig.awaitLive();
      long base = rig.copy.store().compactRevision();
      long revision = base;
      for (int i = 0; i < 200; i++) {
        revision = write(random, "a/", "b/", "c/");
        if (i % 40 == 0) {
          rig.reach(revision);
        }
      }
      rig.reach(revision);
      for (long at = base; at <= revision; at += 5) {
        for (String prefix : List.of("a/", "b/", "c/")) {
          assertThat(rig.here(prefix, at)).as(prefix + at).isEqualTo(CopyRig.there(channel, prefix, at));
        }
      }
      assertThat(rig.copy.covers("a/x".getBytes(), null)).isTrue();
      assertThat(rig.copy.covers("a/".getBytes(), "b".getBytes())).isFalse();
      assertThat(rig.copy.covers("a/".getBytes(), "a0".getBytes())).isTrue();
      assertThat(rig.copy.covers("a/".getBytes(), new byte[1])).isFalse();
      assertThat(rig.copy.covers("d".getBytes(), null)).isFalse();
    }
  }

  @Test
  void history_is_bounded_and_what_is_left_is_right() throws Exception {
    try (CopyRig rig = new CopyRig(directory, channel, List.of("h/"), 64L << 20, 100)) {
      rig.awaitLive();
      long revision = 0;
      for (int i = 0; i < 1_500; i++) {
        revision = put(channel, "h/" + i % 10, "v" + i);
      }
      rig.reach(revision);
      long floor = rig.copy.store().compactRevision();
      assertThat(revision - floor).isBetween(100L, 600L);
      for (long at = floor; at <= revision; at += 50) {
        assertThat(rig.here("h/", at)).isEqualTo(CopyRig.there(channel, "h/", at));
      }
      await(() -> rig.copy.store().sizeInUseBytes() < 700 * 60);
    }
  }

  @Test
  void a_prefix_that_is_too_large_has_no_copy_and_its_memory_is_given_back() throws Exception {
    for (int i = 0; i < 50; i++) {
      put(channel, "large/" + i, "x".repeat(1_000));
    }
    try (CopyRig rig = new CopyRig(directory.resolve("1"), channel, List.of("large/"), 20_000, 100)) {
      await(() -> rig.copy.state() instanceof LocalCopy.State.TooLarge);
      assertThat(rig.copy.store().sizeBytes()).isZero();
      assertThat(rig.copy.reach(2)).failsWithin(java.time.Duration.ofSeconds(10));
    }
    try (CopyRig rig = new CopyRig(directory.resolve("2"), channel, List.of("large/"), 100_000, 100)) {
      rig.awaitLive();
      // Rewriting one key is history only, and is given up in time.
      for (int i = 0; i < 300; i++) {
        put(channel, "large/0", "y".repeat(1_000));
      }
      rig.reach(put(channel, "large/0", "z"));
      assertThat(rig.copy.state()).isInstanceOf(LocalCopy.State.Live.class);
      WatchClient watcher = new WatchClient(rig.local);
      watcher.create(WatchClient.on("large/", "large0"));
      assertThat(watcher.answer().getCreated()).isTrue();
      for (int i = 50; i < 120 && !(rig.copy.state() instanceof LocalCopy.State.TooLarge); i++) {
        put(channel, "large/" + i, "x".repeat(1_000));
      }
      await(() -> rig.copy.state() instanceof LocalCopy.State.TooLarge);
      await(() -> rig.copy.store().sizeBytes() == 0);
      assertThat(watcher.ended.get(CopyRig.DEADLINE_SECONDS, java.util.concurrent.TimeUnit.SECONDS).getDescription()).isEqualTo("etcdserver: server stopped");
      try (WatchClient relayed = new WatchClient(rig.local)) {
        relayed.create(WatchClient.on("large/", "large0"));
        assertThat(relayed.answer().getCreated()).isTrue();
        put(channel, "large/0", "there");
        await(() -> relayed.events(0).size() == 1);
      }
    }
  }
}
