package io.kvorum.server.process;

import static io.kvorum.server.process.CopyRig.await;
import static io.kvorum.server.process.CopyRig.put;
import static io.kvorum.server.process.WatchClient.on;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest.FilterType;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.metrics.MetricsText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Watches of local callers, partly on the copy and partly relayed, beside the same watches at the member. */
@Timeout(120)
class CopyWatchTest {
  @TempDir static Path members;
  private static LoneMember member;

  @TempDir Path directory;
  private CopyRig rig;

  @BeforeAll
  static void startMember() throws Exception {
    member = new LoneMember(members.resolve("m"));
  }

  @AfterAll
  static void stopMember() throws Exception {
    member.close();
  }

  @BeforeEach
  void start() throws Exception {
    write("in/0", "before");
    rig = new CopyRig(directory, member.channel, List.of("in/"));
    rig.awaitLive();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private long write(String key, String value) {
    long revision = put(member.channel, key, value);
    if (rig != null) {
      rig.shown.set(revision);
    }
    return revision;
  }

  private String metrics() {
    MetricsText text = new MetricsText();
    rig.copy.collect(text);
    return text.toString();
  }

  /** What earlier streams of this member had may still be on its way out. */
  private static void awaitOne(String name) throws Exception {
    await(() -> memberMetric(name).endsWith(" 1"));
  }

  private static String memberMetric(String name) {
    try (InputStream in = URI.create(member.url + "/metrics").toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> line.startsWith(name + " ")).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void one_stream_is_as_at_the_member(long seed) throws Exception {
    Random random = new Random(seed);
    write("in/0", "x");
    long floor = write("out/0", "x");
    CopyRig.compact(member.channel, floor);
    try (WatchClient here = new WatchClient(rig.local);
        WatchClient there = new WatchClient(member.channel)) {
      List<Long> open = new ArrayList<>();
      for (int step = 0; step < 250; step++) {
        switch (random.nextInt(8)) {
          case 0, 1 -> {
            WatchCreateRequest.Builder request = request(random, floor);
            here.create(request);
            there.create(request);
            WatchResponse expected = there.answer();
            assertThat(alike(here.answer())).as("%s", request).isEqualTo(alike(expected));
            if (!expected.getCanceled()) {
              open.add(expected.getWatchId());
              if (request.getStartRevision() > 0 && request.getStartRevision() < floor) {
                assertThat(alike(here.answer())).as("%s", request).isEqualTo(alike(there.answer()));
              }
            }
          }
          case 2 -> {
            if (!open.isEmpty()) {
              long id = open.remove(random.nextInt(open.size()));
              here.cancel(id);
              there.cancel(id);
              assertThat(alike(here.answer())).as("cancel %s", id).isEqualTo(alike(there.answer()));
            }
          }
          case 3 -> {
            long id = 1_000 + random.nextInt(10);
            here.cancel(id);
          }
          default -> {
            String key = (random.nextInt(3) == 0 ? "out/" : "in/") + random.nextInt(6);
            if (random.nextInt(4) == 0) {
              rig.shown.set(CopyRig.delete(member.channel, key));
            } else {
              write(key, "v" + step);
            }
          }
        }
      }
      long last = rig.shown.get();
      there.create(on("in/", "out0").setStartRevision(last));
      there.answer();
      await(() -> there.events().values().stream().anyMatch(list -> list.getLast().getKv().getModRevision() >= last));
      for (long id : open) {
        await(() -> here.events(id).equals(there.events(id)));
        assertThat(here.events(id)).as("watch %s", id).isEqualTo(there.events(id));
      }
      assertThat(here.faults()).isEmpty();
      assertThat(there.faults()).isEmpty();
      assertThat(metrics()).containsPattern("kvorum_agent_relayed_watchers [1-9]").containsPattern("kvorum_agent_watchers [1-9]");
    }
    await(() -> metrics().contains("kvorum_agent_relayed_watchers 0\n") && metrics().contains("kvorum_agent_watchers 0\n"));
  }

  private WatchCreateRequest.Builder request(Random random, long floor) {
    WatchCreateRequest.Builder request =
        switch (random.nextInt(7)) {
          case 0 -> on("out/" + random.nextInt(6));
          case 1 -> on("out/", "out0");
          case 2 -> on("in/", "out0");
          case 3 -> on("in/", "in0");
          case 4 -> on("in/2", "in/4");
          case 5 -> on("in/4", "in/2");
          default -> on("in/" + random.nextInt(6));
        };
    long newest = rig.shown.get();
    switch (random.nextInt(5)) {
      case 0 -> request.setStartRevision(Math.max(floor, newest - random.nextInt(40)));
      case 1 -> request.setStartRevision(newest + 1 + random.nextInt(10));
      case 2 -> request.setStartRevision(random.nextInt(20) == 0 ? -3 : 2);
      default -> {}
    }
    if (random.nextInt(5) == 0) {
      request.setWatchId(20 + random.nextInt(6));
    }
    if (random.nextInt(5) == 0) {
      request.addFilters(random.nextBoolean() ? FilterType.NOPUT : FilterType.NODELETE);
    }
    return request.setPrevKv(random.nextBoolean()).setFragment(random.nextInt(5) == 0);
  }

  private static String alike(WatchResponse response) {
    return response.toString();
  }

  @Test
  void progress_covers_both_kinds() throws Exception {
    try (WatchClient client = new WatchClient(rig.local)) {
      client.progress();
      assertThat(client.answerIfAny(200)).as("without a watch there is no answer").isNull();
      client.create(on("in/", "in0"));
      assertThat(client.answer().getWatchId()).isZero();
      write("in/1", "x");
      long revision = write("elsewhere", "y");
      client.progress();
      WatchResponse alone = client.answer();
      assertThat(alone.getWatchId()).isEqualTo(-1);
      assertThat(alone.getHeader().getRevision()).isEqualTo(revision);
      assertThat(client.events(0)).hasSize(1);

      client.create(on("elsewhere"));
      assertThat(client.answer().getWatchId()).isEqualTo(1);
      write("in/2", "x");
      revision = write("elsewhere", "z");
      client.progress();
      WatchResponse both = client.answer();
      assertThat(both.getWatchId()).isEqualTo(-1);
      assertThat(both.getHeader().getRevision()).isEqualTo(revision);
      assertThat(client.events(0)).hasSize(2);
      assertThat(client.events(1)).hasSize(1);

      client.create(on("elsewhere").setStartRevision(revision + 100));
      assertThat(client.answer().getWatchId()).isEqualTo(2);
      client.progress();
      assertThat(client.answerIfAny(300)).as("one that has not begun").isNull();
      assertThat(client.faults()).isEmpty();
    }
  }

  @Test
  void a_thousand_watchers_cost_the_cluster_one() throws Exception {
    List<WatchClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < 50; i++) {
        WatchClient client = new WatchClient(rig.local);
        clients.add(client);
        for (int watch = 0; watch < 20; watch++) {
          client.create(on("in/", "in0"));
        }
      }
      for (WatchClient client : clients) {
        for (int watch = 0; watch < 20; watch++) {
          assertThat(client.answer().getCreated()).isTrue();
        }
      }
      awaitOne("etcd_debugging_mvcc_watcher_total");
      assertThat(metrics()).contains("kvorum_agent_watchers 1000\n", "kvorum_agent_upstream_watches 1\n", "kvorum_agent_relayed_watchers 0\n");
      for (int i = 0; i < 20; i++) {
        write("in/" + i, "x");
      }
      for (WatchClient client : clients) {
        for (long watch = 0; watch < 20; watch++) {
          long id = watch;
          await(() -> client.events(id).size() == 20);
        }
        assertThat(client.faults()).isEmpty();
      }
      awaitOne("etcd_debugging_mvcc_watch_stream_total");
    } finally {
      clients.forEach(WatchClient::close);
    }
  }

  @Test
  void a_stream_ends_with_the_one_that_it_depends_on_and_the_others_go_on() throws Exception {
    try (WatchClient both = new WatchClient(rig.local);
        WatchClient local = new WatchClient(rig.local)) {
      both.create(on("elsewhere"));
      both.create(on("in/", "in0"));
      assertThat(both.answer().getWatchId()).isZero();
      assertThat(both.answer().getWatchId()).isEqualTo(1);
      local.create(on("in/", "in0"));
      local.answer();
      rig.upstream.turn(member.channel);
      assertThat(both.ended.get(CopyRig.DEADLINE_SECONDS, java.util.concurrent.TimeUnit.SECONDS).getCode()).isNotEqualTo(Status.Code.OK);
      write("in/1", "after");
      await(() -> local.events(0).size() == 1);
      assertThat(metrics()).contains("kvorum_agent_upstream_watch_breaks_total 1\n");
    }
  }

  @Test
  void a_relayed_watch_that_is_compacted_keeps_its_id_until_it_is_cancelled() throws Exception {
    long early = write("elsewhere", "1");
    write("elsewhere", "2");
    long floor = write("elsewhere", "3");
    CopyRig.compact(member.channel, floor);
    try (WatchClient here = new WatchClient(rig.local);
        WatchClient there = new WatchClient(member.channel)) {
      for (WatchClient client : List.of(here, there)) {
        client.create(on("elsewhere").setStartRevision(early).setWatchId(7));
      }
      for (int answer = 0; answer < 2; answer++) {
        assertThat(alike(here.answer())).isEqualTo(alike(there.answer()));
      }
      for (WatchClient client : List.of(here, there)) {
        client.create(on("in/", "in0").setWatchId(7));
        client.cancel(7);
        client.create(on("in/", "in0").setWatchId(7));
        client.create(on("in/", "in0").setStartRevision(rig.copy.store().compactRevision()));
      }
      for (int answer = 0; answer < 4; answer++) {
        assertThat(alike(here.answer())).isEqualTo(alike(there.answer()));
      }
    }
  }

  /** A caller that takes nothing for a while is owed everything, and costs no more than what is on its way. */
  @Test
  void a_slow_reader_of_a_relayed_watch_misses_nothing() throws Exception {
    List<Long> seen = java.util.Collections.synchronizedList(new ArrayList<>());
    AtomicReference<ClientCallStreamObserver<WatchRequest>> call = new AtomicReference<>();
    WatchGrpc.newStub(rig.local)
        .watch(
            new ClientResponseObserver<WatchRequest, WatchResponse>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<WatchRequest> requests) {
                requests.disableAutoRequestWithInitial(1);
                call.set(requests);
              }

              @Override
              public void onNext(WatchResponse response) {
                response.getEventsList().forEach(event -> seen.add(event.getKv().getModRevision()));
              }

              @Override
              public void onError(Throwable failure) {}

              @Override
              public void onCompleted() {}
            });
    call.get().onNext(WatchRequest.newBuilder().setCreateRequest(on("elsewhere")).build());
    await(() -> metrics().contains("kvorum_agent_relayed_watchers 1\n"));
    write("elsewhere", "first");
    List<Long> written = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      written.add(write("elsewhere", "x".repeat(2_000)));
    }
    call.get().request(1_000);
    await(() -> seen.containsAll(written));
    assertThat(seen.subList(seen.size() - written.size(), seen.size())).isEqualTo(written);
    call.get().cancel("done", null);
  }
}
