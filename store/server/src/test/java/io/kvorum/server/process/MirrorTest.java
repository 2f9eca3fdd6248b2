package io.kvorum.server.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.mirror.MirrorCommand;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** One member followed into another. */
@Timeout(120)
class MirrorTest {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);
  private static final String POSITION = "kvorum.io/mirror";

  @TempDir Path temp;
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private LoneMember source;
  private LoneMember target;

  @BeforeEach
  void start() throws Exception {
    source = new LoneMember(temp.resolve("source"));
  }

  @AfterEach
  void stop() throws Exception {
    source.close();
    if (target != null) {
      target.close();
    }
  }

  private static KVGrpc.KVBlockingStub kv(LoneMember member) {
    return KVGrpc.newBlockingStub(member.channel);
  }

  private void put(String key, String value, long lease) {
    kv(source).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).setLease(lease).build());
  }

  private static long revision(LoneMember member) {
    return kv(member).range(RangeRequest.newBuilder().setKey(ZERO).setCountOnly(true).build()).getHeader().getRevision();
  }

  /** Keys, values and leases; revisions are the cluster's own. */
  private static List<String> content(LoneMember member) {
    List<KeyValue> pairs = kv(member).range(RangeRequest.newBuilder().setKey(ZERO).setRangeEnd(ZERO).build()).getKvsList();
    return pairs.stream()
        .filter(pair -> !pair.getKey().toStringUtf8().equals(POSITION))
        .map(pair -> pair.getKey().toStringUtf8() + "=" + pair.getValue().toStringUtf8() + "@" + pair.getLease())
        .toList();
  }

  private int mirror(String... more) {
    CommandLine line = new CommandLine(new MirrorCommand(new PrintStream(new ByteArrayOutputStream()), new PrintStream(err, true, UTF_8)));
    line.setExecutionExceptionHandler(
        (failure, ignored, parsed) -> {
          err.writeBytes(String.valueOf(failure.getMessage()).getBytes(UTF_8));
          return 1;
        });
    String[] arguments = new String[more.length + 4];
    arguments[0] = "--source";
    arguments[1] = source.url;
    arguments[2] = "--destination";
    arguments[3] = target.url;
    System.arraycopy(more, 0, arguments, 4, more.length);
    return line.execute(arguments);
  }

  private void assertSame() {
    assertThat(mirror("--until-caught-up")).as(err.toString(UTF_8)).isZero();
    assertThat(content(target)).isEqualTo(content(source));
  }

  private void fill() {
    LeaseGrpc.newBlockingStub(source.channel).leaseGrant(LeaseGrantRequest.newBuilder().setID(55).setTTL(600).build());
    for (int i = 0; i < 250; i++) {
      put("k%03d".formatted(i), "v" + i, i % 50 == 3 ? 55 : 0);
    }
  }

  @Test
  void copies_and_then_follows_from_where_it_was() throws Exception {
    target = new LoneMember(temp.resolve("target"));
    fill();
    assertSame();
    assertThat(err.toString(UTF_8)).contains("copying 250 keys");

    put("k001", "again", 0);
    put("k001", "and again", 0);
    // More deletions in one revision than a transaction takes.
    kv(source).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("k010")).setRangeEnd(ByteString.copyFromUtf8("k200")).build());
    LeaseGrpc.newBlockingStub(source.channel).leaseGrant(LeaseGrantRequest.newBuilder().setID(56).setTTL(700).build());
    put("new", "with a lease", 56);
    put("k003", "without one now", 0);
    assertSame();
    assertThat(err.toString(UTF_8)).contains("going on from revision");
    assertThat(LeaseGrpc.newBlockingStub(target.channel).leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(56).build()).getGrantedTTL()).isEqualTo(700);

    LeaseGrpc.newBlockingStub(source.channel).leaseRevoke(LeaseRevokeRequest.newBuilder().setID(56).build());
    assertSame();
    assertThat(content(target)).noneMatch(pair -> pair.startsWith("new="));
  }

  @Test
  void what_was_compacted_before_it_was_seen_is_an_error() throws Exception {
    target = new LoneMember(temp.resolve("target"));
    fill();
    assertSame();
    put("lost", "between", 0);
    put("other", "one", 0);
    kv(source).compact(CompactionRequest.newBuilder().setRevision(revision(source)).build());
    assertThat(mirror("--until-caught-up")).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("were compacted at the source before they were mirrored");
    assertThat(content(target)).hasSize(250);
  }

  @Test
  void only_an_empty_destination_or_its_own_is_taken() throws Exception {
    target = new LoneMember(temp.resolve("target"));
    fill();
    kv(target).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("own")).build());
    assertThat(mirror("--until-caught-up")).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("holds 1 keys");
    assertThat(mirror("--until-caught-up", "--prefix", "k")).as(err.toString(UTF_8)).isZero();
    assertThat(content(target)).hasSize(251).contains("own=@0");
    assertThat(mirror("--until-caught-up", "--prefix", "k")).isZero();
    kv(target)
        .put(
            PutRequest.newBuilder()
                .setKey(ByteString.copyFromUtf8(POSITION))
                .setValue(ByteString.copyFromUtf8("1 abc following 3 1 ."))
                .build());
    assertThat(mirror("--until-caught-up", "--prefix", "k")).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("the destination mirrors cluster abc");
  }

  /** Import a snapshot while writes go on, then take over what came after it; the lease's keys are known by it. */
  @Test
  void goes_on_behind_an_imported_snapshot() throws Exception {
    fill();
    Path file = temp.resolve("saved.db");
    try (OutputStream out = Files.newOutputStream(file)) {
      MaintenanceGrpc.newBlockingStub(source.channel)
          .snapshot(SnapshotRequest.getDefaultInstance())
          .forEachRemaining(
              part -> {
                try {
                  part.getBlob().writeTo(out);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
    long saved = revision(source);
    put("k001", "later", 0);
    put("k100", "later", 55);
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    assertThat(new CommandLine(new ImportCommand(nowhere, nowhere)).execute(file.toString(), "--data-dir", temp.resolve("target").toString(), "--name", "m0")).isZero();
    target = new LoneMember(temp.resolve("target"));

    assertThat(mirror("--until-caught-up", "--from-revision", Long.toString(saved + 1))).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("the destination is at revision " + saved + ", not " + (saved + 1));
    assertThat(mirror("--until-caught-up", "--from-revision", Long.toString(saved))).as(err.toString(UTF_8)).isZero();
    assertThat(content(target)).isEqualTo(content(source)).contains("k001=later@0", "k100=later@55");
  }

  @Test
  void follows_while_both_live_and_a_second_mirror_is_noticed() throws Exception {
    target = new LoneMember(temp.resolve("target"));
    fill();
    CompletableFuture<Integer> ended = new CompletableFuture<>();
    Thread running = Thread.ofPlatform().daemon().start(() -> ended.complete(mirror()));
    await(() -> content(target).size() == 250);
    put("live", "1", 0);
    await(() -> content(target).contains("live=1@0"));
    // Somebody else moves the position: the running one must not go on as if it were alone.
    kv(target).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(POSITION)).setValue(ByteString.copyFromUtf8("1 1 following 9 9 .")).build());
    put("live", "2", 0);
    assertThat(ended.get(30, TimeUnit.SECONDS)).isEqualTo(1);
    running.join();
    assertThat(err.toString(UTF_8)).contains("is another mirror running?");
    assertThat(content(target)).contains("live=1@0");
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.sleep(20);
    }
  }
}
