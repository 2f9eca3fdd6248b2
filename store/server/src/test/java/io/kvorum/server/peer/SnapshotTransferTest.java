package io.kvorum.server.peer;

import static io.kvorum.server.peer.TestPeer.CLUSTER;
import static io.kvorum.server.peer.TestPeer.await;
import static io.kvorum.server.peer.TestPeer.member;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.cluster.Member;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real files over real loopback sockets, from member 1 to member 2. */
class SnapshotTransferTest {
  private static final int MEBIBYTE = 1 << 20;

  @TempDir Path directory;

  private final StubStore source = new StubStore();
  private final StubStore target = new StubStore();
  private final AtomicReference<FailPoint> senderPoint = new AtomicReference<>(FailPoint.NONE);
  private final AtomicReference<FailPoint> receiverPoint = new AtomicReference<>(FailPoint.NONE);
  private TestPeer one;
  private TestPeer two;

  private void start(long bytesPerSecond) throws Exception {
    List<Member> members = List.of(member(1, FreePorts.one()), member(2, FreePorts.one()));
    Files.createDirectories(directory.resolve("one"));
    Files.createDirectories(directory.resolve("two"));
    one = peer(1, members, source, "one", senderPoint, bytesPerSecond);
    two = peer(2, members, target, "two", receiverPoint, 0);
    await("connected", () -> one.isConnected(two));
  }

  private TestPeer peer(long id, List<Member> members, StubStore store, String name, AtomicReference<FailPoint> point, long bytesPerSecond)
      throws IOException {
    int port = Integer.parseInt(members.get((int) id - 1).peerUrls().getFirst().replaceAll(".*:", ""));
    return new TestPeer(CLUSTER, id, port, members, store.store(), directory.resolve(name), p -> point.get().reached(p), bytesPerSecond);
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Consensus announces index 6; the newest checkpoint is at 7. */
  private void announce() {
    SnapshotMeta meta = new SnapshotMeta(6, 4, new Membership(new TreeSet<>(Set.of(1L)), new TreeSet<>()));
    one.transport.send(List.of(new Message(Message.Type.SNAPSHOT, 1, 2, 9, 0, 0, 6, false, 0, 0, List.of(), meta)));
  }

  private void awaitReports(int count) throws InterruptedException {
    await("reported", () -> one.node.snapshotReports.size() == count);
  }

  private List<String> namesIn(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void missingFilesAreSentAndTheRealCheckpointIsNamed() throws Exception {
    source.files.put("manifest", random(1, 777));
    source.files.put("segment-a", random(2, 3 * MEBIBYTE + 5));
    source.files.put("segment-b", random(3, SnapshotSender.CHUNK_BYTES));
    source.files.put("segment-empty", new byte[0]);
    source.files.put("segment-known", random(4, MEBIBYTE));
    target.present.add("segment-known");
    start(0);

    announce();
    awaitReports(1);

    assertThat(one.node.snapshotReports).containsExactly(true);
    Path received = two.node.snapshotDirectories.getFirst();
    assertThat(received.getParent()).isEqualTo(directory.resolve("two"));
    assertThat(received.getFileName().toString()).startsWith("incoming-");
    assertThat(namesIn(received)).containsExactly("manifest", "segment-a", "segment-b", "segment-empty");
    for (String name : namesIn(received)) {
      assertThat(Files.readAllBytes(received.resolve(name))).as(name).isEqualTo(source.files.get(name));
    }
    Message message = two.node.snapshotMessages.getFirst();
    assertThat(message.term()).isEqualTo(9);
    assertThat(message.snapshot())
        .isEqualTo(new SnapshotMeta(7, 5, new Membership(new TreeSet<>(Set.of(1L, 2L)), new TreeSet<>(Set.of(3L)))));
    await("unpinned", () -> source.open.get() == 0);
  }

  @Test
  void anInterruptedTransferGoesOnWithTheFilesThatAreMissingStill() throws Exception {
    source.files.put("a-first", random(1, 2 * MEBIBYTE));
    source.files.put("b-second", random(2, 2 * MEBIBYTE));
    start(0);
    AtomicInteger chunks = new AtomicInteger();
    senderPoint.set(
        point -> {
          if (point.equals("peer.snapshot.chunk-sent") && chunks.incrementAndGet() == 10) {
            throw new IllegalStateException("the sender dies");
          }
        });
    announce();
    awaitReports(1);
    assertThat(one.node.snapshotReports).containsExactly(false);
    assertThat(two.node.snapshotMessages).isEmpty();

    senderPoint.set(FailPoint.NONE);
    AtomicInteger again = new AtomicInteger();
    receiverPoint.set(
        point -> {
          // Chunks of the first transfer may still be written before the second offer.
          switch (point) {
            case "peer.snapshot.offer-received" -> again.set(0);
            case "peer.snapshot.chunk-written" -> again.incrementAndGet();
            default -> {}
          }
        });
    announce();
    awaitReports(2);

    assertThat(one.node.snapshotReports).containsExactly(false, true);
    assertThat(again).as("only the second file is sent again").hasValue(2 * MEBIBYTE / SnapshotSender.CHUNK_BYTES);
    Path received = two.node.snapshotDirectories.getFirst();
    assertThat(Files.readAllBytes(received.resolve("a-first"))).isEqualTo(source.files.get("a-first"));
    assertThat(Files.readAllBytes(received.resolve("b-second"))).isEqualTo(source.files.get("b-second"));
  }

  private static FailPoint afterTheFirstChunk(CountDownLatch until) {
    return point -> {
      if (point.equals("peer.snapshot.chunk-sent")) {
        try {
          assertThat(until.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    };
  }

  @Test
  void aReceiverThatGoesAwayEndsTheTransfer() throws Exception {
    source.files.put("a", random(1, 8 * MEBIBYTE));
    start(0);
    CountDownLatch gone = new CountDownLatch(1);
    senderPoint.set(afterTheFirstChunk(gone));
    announce();
    await("under way", () -> Files.exists(directory.resolve("two/incoming-1/a")));

    two.stopServing();
    gone.countDown();

    awaitReports(1);
    assertThat(one.node.snapshotReports).containsExactly(false);
    two.serve();
    announce();
    awaitReports(2);
    assertThat(one.node.snapshotReports).containsExactly(false, true);
    assertThat(Files.readAllBytes(two.node.snapshotDirectories.getFirst().resolve("a"))).isEqualTo(source.files.get("a"));
  }

  @Test
  void damagedBytesAreNotInstalled() throws Exception {
    source.files.put("a", random(1, MEBIBYTE));
    source.damaged = true;
    start(0);

    announce();
    awaitReports(1);

    assertThat(one.node.snapshotReports).containsExactly(false);
    assertThat(two.node.snapshotMessages).isEmpty();
    source.damaged = false;
    announce();
    awaitReports(2);
    assertThat(one.node.snapshotReports).containsExactly(false, true);
  }

  @Test
  void aRefusedInstallationIsReported() throws Exception {
    source.files.put("a", random(1, 10));
    start(0);
    two.node.installation = CompletableFuture.completedFuture(false);
    announce();
    awaitReports(1);

    two.node.installation = CompletableFuture.failedFuture(new IOException("no space"));
    announce();
    awaitReports(2);

    assertThat(one.node.snapshotReports).containsExactly(false, false);
    assertThat(two.node.snapshotDirectories).as("each handed over is consensus' own").doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void anOldCheckpointIsNotSent() throws Exception {
    source.files.put("a", random(1, 10));
    source.index = 5;
    start(0);

    announce();
    awaitReports(1);

    assertThat(one.node.snapshotReports).containsExactly(false);
    assertThat(namesIn(directory.resolve("two"))).isEmpty();
  }

  @Test
  void filesCannotLeaveTheirDirectory() throws Exception {
    source.files.put("../escaped", random(1, 10));
    start(0);

    announce();
    awaitReports(1);

    assertThat(one.node.snapshotReports).containsExactly(false);
    assertThat(directory.resolve("two/escaped")).doesNotExist();
    assertThat(directory.resolve("escaped")).doesNotExist();
  }

  @Test
  void oneTransferAtATimeAndNoFasterThanAllowed() throws Exception {
    source.files.put("a", random(1, 2 * MEBIBYTE));
    start(4L * MEBIBYTE);
    CountDownLatch announced = new CountDownLatch(1);
    senderPoint.set(afterTheFirstChunk(announced));
    long start = System.nanoTime();
    List<Integer> opened = new ArrayList<>();

    for (int i = 0; i < 5; i++) {
      announce();
      opened.add(source.open.get());
    }
    announced.countDown();
    awaitReports(1);

    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)).as("2 MiB at 4 MiB/s").isGreaterThanOrEqualTo(450L);
    assertThat(opened).allMatch(n -> n <= 1);
    assertThat(two.node.snapshotMessages).hasSize(1);
  }

  @Test
  void closingEndsATransferAndUnpinsTheFiles() throws Exception {
    source.files.put("a", random(1, 8 * MEBIBYTE));
    start(MEBIBYTE);
    announce();
    await("under way", () -> Files.exists(directory.resolve("two/incoming-1/a")));

    one.close();

    assertThat(source.open).hasValue(0);
  }

  @Test
  void leftoversOfACrashAreDeletedAtTheStart() throws Exception {
    Path leftover = Files.createDirectories(directory.resolve("two/incoming-3/sub"));
    Files.write(leftover.resolve("file"), new byte[9]);
    Files.write(Files.createDirectories(directory.resolve("two")).resolve("kept"), new byte[1]);

    start(0);

    assertThat(namesIn(directory.resolve("two"))).containsExactly("kept");
  }
}
