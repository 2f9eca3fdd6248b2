package io.kvorum.server.watch;

import static io.kvorum.server.watch.CoreRig.on;
import static io.kvorum.server.watch.CoreRig.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.base.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hub with its thread, and a writer in the raft thread's place. */
class WatchHubTest {
  private static final Limits LIMITS = new Limits(1_572_864, 128, 100, 1_000, 0, 600_000);

  @TempDir Path directory;
  private MvccStore store;
  private WatchHub hub;

  @BeforeEach
  void start() throws Exception {
    store = MvccStore.open(directory, MvccOptions.DEFAULT);
    hub = new WatchHub(store, r -> ResponseHeader.newBuilder().setRevision(r).build(), LIMITS, System::nanoTime, new Random(1));
    hub.start();
  }

  @AfterEach
  void stop() {
    hub.close();
    store.close();
  }

  /** Takes everything; can be made to keep the watch thread in a call. */
  private static class Sink implements WatchSink {
    final BlockingQueue<WatchResponse> received = new LinkedBlockingQueue<>();

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void send(WatchMessage message) {
      received.add(message.toResponse());
    }

    @Override
    public void request(int count) {}

    @Override
    public void close(Status status) {}

    WatchResponse next() throws InterruptedException {
      WatchResponse response = received.poll(30, TimeUnit.SECONDS);
      assertThat(response).isNotNull();
      return response;
    }
  }

  private void write(CoreRig.Op op) {
    WriteTxn txn = store.begin();
    op.run(txn);
    List<Change> changes = txn.end();
    store.publish();
    hub.published(store.revision(), changes);
  }

  @Test
  void batchesAreSkippedOnlyWhileNobodyWatches() throws Exception {
    AtomicBoolean stopped = new AtomicBoolean();
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!stopped.get()) {
                    write(put("a", "v"));
                  }
                });
    try {
      for (int round = 0; round < 300; round++) {
        Sink sink = new Sink();
        WatchStream stream = hub.open(sink);
        hub.create(stream, on("a").build(), null);
        WatchResponse created = sink.next();
        assertThat(created.getCreated()).isTrue();
        long expected = created.getHeader().getRevision() + 1;
        for (int i = 0; i < 3; i++) {
          for (var event : sink.next().getEventsList()) {
            assertThat(event.getKv().getModRevision()).isEqualTo(expected++);
          }
        }
        hub.closed(stream);
      }
    } finally {
      stopped.set(true);
      writer.join();
    }
  }

  @Test
  void aBatchWithoutRoomIsFoundInHistory() throws Exception {
    CountDownLatch inCall = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Sink stuck =
        new Sink() {
          @Override
          public void send(WatchMessage message) {
            super.send(message);
            if (message.toResponse().getEventsCount() > 0) {
              inCall.countDown();
              try {
                assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }
          }
        };
    hub.create(hub.open(stuck), on("a").build(), null);
    assertThat(stuck.next().getCreated()).isTrue();
    write(put("a", "first"));
    assertThat(inCall.await(30, TimeUnit.SECONDS)).isTrue();
    String megabyte = "x".repeat(1 << 20);
    int writes = (int) (WatchHub.MAX_QUEUED_BYTES >> 20) + 6;
    for (int i = 0; i < writes; i++) {
      write(put("a", megabyte));
    }
    goOn.countDown();
    for (long expected = 2; expected <= writes + 2; ) {
      for (var event : stuck.next().getEventsList()) {
        assertThat(event.getKv().getModRevision()).isEqualTo(expected++);
      }
    }
    assertThat(stuck.received).isEmpty();
  }
}
