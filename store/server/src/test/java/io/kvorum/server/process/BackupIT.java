package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real members and real runs of the commands: under writes, and killed. */
class BackupIT {
  private static final long DEADLINE_SECONDS = 60;
  private static final int KILLED = 137;

  @TempDir Path temp;

  private int runs;

  private JsonObject run(int code, String failPoint, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Processes.DIST.resolve("bin/kvorum").toString()));
    command.addAll(List.of(arguments));
    Path result = temp.resolve("result-" + runs++);
    command.add("--result-file=" + result);
    command.add("--destination=" + temp.resolve("repository"));
    Path output = temp.resolve("output-" + runs);
    ProcessBuilder builder = Processes.command(output, command.toArray(String[]::new));
    builder.environment().put("KVORUM_FAIL_POINT", failPoint);
    Process process = builder.start();
    try {
      assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(String.join(" ", command) + "\n" + Files.readString(output)).isEqualTo(code);
    return code == KILLED ? new JsonObject() : JsonParser.parseString(Files.readString(result)).getAsJsonObject();
  }

  private static String url(Processes processes, int member) {
    return "http://127.0.0.1:" + processes.clientPort(member);
  }

  private static void put(Processes processes, int member, String key, int bytes) {
    processes.kv(member).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFrom(new byte[bytes])).build());
  }

  @Test
  void three_members_under_writes_are_backed_up_and_restored_as_three_new_ones() throws Exception {
    JsonObject full;
    JsonObject delta;
    List<?> range;
    long hash;
    try (Processes source = new Processes(Files.createDirectory(temp.resolve("a")), 3)) {
      source.startAll();
      put(source, 0, "first", 10);
      int leader = source.awaitLeader();
      AtomicBoolean stop = new AtomicBoolean();
      AtomicInteger written = new AtomicInteger();
      Thread writer = Thread.ofPlatform().start(() -> write(source, leader, stop, written));
      String endpoints = String.join(",", url(source, 0), url(source, 1), url(source, 2));
      full = run(0, "", "backup", "--endpoints=" + endpoints, "--id=full");
      awaitMore(written);
      delta = run(0, "", "backup", "--endpoints=" + endpoints, "--id=delta", "--type=delta");
      stop.set(true);
      writer.join();
      long revision = delta.get("toRevision").getAsLong();
      assertThat(revision).isGreaterThan(full.get("toRevision").getAsLong());
      assertThat(BackupWorld.hash(source.channel(leader), full.get("toRevision").getAsLong())).isEqualTo(full.get("contentHash").getAsLong());
      hash = BackupWorld.hash(source.channel(leader), revision);
      range = BackupWorld.everything(source.channel(leader), revision);
    }
    assertThat(hash).isEqualTo(delta.get("contentHash").getAsLong());
    try (Processes restored = new Processes(Files.createDirectory(temp.resolve("b")), 3)) {
      for (int member = 0; member < 3; member++) {
        JsonObject result =
            run(
                0, "", "restore", "--latest", "--data-dir=" + restored.dataDirectory(member), "--name=m" + member, "--initial-cluster=" + restored.initialCluster(),
                "--initial-advertise-peer-urls=" + restored.peerUrl(member), "--initial-cluster-token=anew", "--revision-bump=0", "--mark-compacted=false");
        assertThat(result.get("contentHashCompared").getAsBoolean()).isTrue();
      }
      restored.startAll();
      put(restored, 1, "next", 10);
      for (int member = 0; member < 3; member++) {
        long revision = delta.get("toRevision").getAsLong();
        put(restored, member, "seen", 1);
        assertThat(BackupWorld.everything(restored.channel(member), revision)).isEqualTo(range);
        assertThat(BackupWorld.hash(restored.channel(member), revision)).isEqualTo(hash);
      }
    }
  }

  private static void awaitMore(AtomicInteger written) throws InterruptedException {
    int before = written.get();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (written.get() < before + 5) {
      assertThat(System.nanoTime()).as("writes go on").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private static void write(Processes source, int member, AtomicBoolean stop, AtomicInteger written) {
    while (!stop.get()) {
      try {
        put(source, member, "k" + written.get() % 100, 500);
        written.incrementAndGet();
      } catch (StatusRuntimeException notNow) {
        // Another leader; the next one may get through.
      }
    }
  }

  @Test
  void a_run_that_was_killed_sends_nothing_twice() throws Exception {
    try (Processes source = new Processes(Files.createDirectory(temp.resolve("a")), 1)) {
      source.start(0);
      source.awaitReady(0);
      for (int i = 0; i < 30; i++) {
        put(source, 0, "k" + i, 100_000);
      }
      source.stop(0);
      source.start(0);
      source.awaitReady(0);
      put(source, 0, "tail", 1_000);
      BackupWorld world = new BackupWorld(temp.resolve("repository"));
      String[] backup = {"backup", "--endpoints=" + url(source, 0), "--id=full"};

      run(KILLED, "backup.run.segment-kept:1", backup);
      long sent = world.bytes();
      assertThat(sent).isGreaterThan(100_000);
      assertThat(world.files("backups")).isEmpty();
      run(KILLED, "backup.run.segment-kept:1", backup);
      long more = world.bytes();
      assertThat(more).as("another segment than the one that was there").isGreaterThan(sent);
      run(KILLED, "backup.run.log-kept:1", backup);
      run(KILLED, "backup.repository.before-publish:1", backup);
      List<Path> segments = world.files("segments");
      JsonObject done = run(0, "", backup);
      // The member may have written an entry of its own meanwhile, which makes another chunk of the log.
      assertThat(done.get("newBytes").getAsLong()).as("all segments were there").isLessThan(20_000);
      assertThat(world.files("segments")).isEqualTo(segments).hasSizeGreaterThan(1);
      assertThat(done.get("sizeBytes").getAsLong()).isBetween(more, world.bytes());

      put(source, 0, "more", 1_000);
      String[] delta = {"backup", "--endpoints=" + url(source, 0), "--id=delta", "--type=delta"};
      run(KILLED, "backup.repository.after-publish:1", delta);
      assertThat(run(0, "", delta).get("previous").getAsString()).isEqualTo("full");
      assertThat(run(0, "", "verify", "--id=delta", "--scratch=" + temp).get("hashMatched").getAsBoolean()).isTrue();
    }
  }
}
