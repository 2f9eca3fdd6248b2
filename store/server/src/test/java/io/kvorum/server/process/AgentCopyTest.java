package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.agent.TestAgent;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent with a copy: which reads it answers itself, and what they say. */
@Timeout(120)
class AgentCopyTest {
  private static final long SECONDS = 30;
  private static final Metadata.Key<String> STALE = Metadata.Key.of("kvorum-stale", Metadata.ASCII_STRING_MARSHALLER);

  @TempDir Path temp;

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static RangeRequest prefix(String prefix) {
    return RangeRequest.newBuilder().setKey(utf8(prefix)).setRangeEnd(utf8(prefix.substring(0, prefix.length() - 1) + (char) (prefix.charAt(prefix.length() - 1) + 1))).build();
  }

  private static RangeRequest local(RangeRequest request) {
    return request.toBuilder().setSerializable(true).build();
  }

  private static long put(Channel channel, String key, String value) {
    return AgentTest.kv(channel).put(PutRequest.newBuilder().setKey(utf8(key)).setValue(utf8(value)).build()).getHeader().getRevision();
  }

  private static long metric(TestAgent agent, String sample) throws Exception {
    return metric("http://127.0.0.1:" + agent.port, sample);
  }

  private static long metric(String url, String sample) throws Exception {
    HttpRequest scrape = HttpRequest.newBuilder(URI.create(url + "/metrics")).build();
    String text = HttpClient.newHttpClient().send(scrape, HttpResponse.BodyHandlers.ofString()).body();
    return text.lines().filter(line -> line.startsWith(sample + " ")).mapToLong(line -> (long) Double.parseDouble(line.substring(sample.length() + 1))).findFirst().orElseThrow();
  }

  private static void await(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.call()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  private static void awaitState(TestAgent agent, String state) throws Exception {
    await(state, () -> metric(agent, "kvorum_agent_copy_state{state=\"" + state + "\"}") == 1);
  }

  @Test
  void serializable_reads_of_mirrored_keys_are_answered_here_and_all_others_by_the_cluster() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      long last = 0;
      for (int i = 0; i < 50; i++) {
        put(member.channel, "a/" + i, "v" + i);
        last = put(member.channel, "c/" + i, "v" + i);
      }
      AgentTest.kv(member.channel).compact(CompactionRequest.newBuilder().setRevision(last - 10).build());
      try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--mirror=a/,b/", "--data-dir=" + temp.resolve("copy"))) {
        readEverywhere(member, agent, last);
      }
    }
    assertThat(temp.resolve("copy").toFile().list((directory, name) -> name.startsWith("copy-"))).isEmpty();
  }

  private static void readEverywhere(LoneMember member, TestAgent agent, long last) throws Exception {
    awaitState(agent, "live");
    RangeResponse direct = AgentTest.kv(member.channel).range(prefix("a/"));
    // Linearizable: from here on nothing older may be shown.
    assertThat(AgentTest.kv(agent.channel).range(prefix("a/"))).isEqualTo(direct);
    long before = metric(agent, "kvorum_agent_local_reads_total");
    long passedOn = metric(agent, "kvorum_agent_ranges_passed_on_total");
    assertThat(AgentTest.kv(agent.channel).range(local(prefix("a/")))).isEqualTo(direct);
    assertThat(AgentTest.kv(agent.channel).range(local(prefix("a/")).toBuilder().setKeysOnly(true).setLimit(3).setSortOrder(RangeRequest.SortOrder.DESCEND).build()))
        .isEqualTo(AgentTest.kv(member.channel).range(prefix("a/").toBuilder().setKeysOnly(true).setLimit(3).setSortOrder(RangeRequest.SortOrder.DESCEND).build()));
    assertThat(metric(agent, "kvorum_agent_local_reads_total") - before).isEqualTo(2);
    assertThat(metric(agent, "kvorum_agent_ranges_passed_on_total")).isEqualTo(passedOn);
    assertThat(AgentTest.kv(agent.channel).range(local(prefix("c/"))).getKvsList()).isEqualTo(AgentTest.kv(member.channel).range(prefix("c/")).getKvsList());
    assertThat(AgentTest.kv(agent.channel).range(local(prefix("a/").toBuilder().setRangeEnd(utf8("b0")).build())).getCount()).as("two prefixes").isEqualTo(50);
    assertThat(metric(agent, "kvorum_agent_ranges_passed_on_total") - passedOn).isEqualTo(2);
    assertThatThrownBy(() -> AgentTest.kv(agent.channel).range(local(prefix("a/")).toBuilder().setRevision(3).build()))
        .hasMessage("OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted");
    assertThat(AgentTest.kv(agent.channel).range(local(prefix("a/")).toBuilder().setRevision(last - 2).build()).getCount()).as("older than the copy").isEqualTo(49);
    assertThatThrownBy(() -> AgentTest.kv(agent.channel).range(local(prefix("a/")).toBuilder().setRevision(last + 1_000).build()))
        .hasMessage("OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision");
  }

  @Test
  void callers_read_their_own_writes_and_revisions_never_go_back() throws Exception {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    try (LoneMember member = new LoneMember(temp.resolve("m0"));
        TestAgent agent = new TestAgent("--endpoints=" + member.url, "--mirror=a/")) {
      awaitState(agent, "live");
      long told = 0;
      for (int i = 0; i < 300; i++) {
        String key = "a/" + random.nextInt(10);
        switch (random.nextInt(4)) {
          case 0 -> {
            told = put(agent.channel, key, "v" + i);
            RangeResponse read = AgentTest.kv(agent.channel).range(local(RangeRequest.newBuilder().setKey(utf8(key)).build()));
            assertThat(read.getKvs(0).getValue().toStringUtf8()).isEqualTo("v" + i);
            assertThat(read.getKvs(0).getModRevision()).isEqualTo(told);
          }
          case 1 -> {
            told = AgentTest.kv(agent.channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(utf8(key)).build()).getHeader().getRevision();
            assertThat(AgentTest.kv(agent.channel).range(local(RangeRequest.newBuilder().setKey(utf8(key)).build())).getCount()).isZero();
          }
          case 2 -> told = put(agent.channel, "elsewhere", "v" + i);
          default -> {
            RangeResponse read = AgentTest.kv(agent.channel).range(local(prefix("a/")));
            assertThat(read.getHeader().getRevision()).isGreaterThanOrEqualTo(told);
            told = read.getHeader().getRevision();
          }
        }
      }
      assertThat(metric(agent, "kvorum_agent_local_reads_total")).isGreaterThan(150);
    }
  }

  @Test
  void many_watchers_here_are_one_at_the_cluster() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"));
        TestAgent agent = new TestAgent("--endpoints=" + member.url, "--mirror=a/")) {
      awaitState(agent, "live");
      List<PermissionWorld.Stream> streams = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        PermissionWorld.Stream stream = new PermissionWorld.Stream(agent.channel, null);
        streams.add(stream);
        stream.watch("a/x");
        stream.watch("a/y");
        assertThat(List.of(stream.next().getWatchId(), stream.next().getWatchId())).containsExactly(0L, 1L);
      }
      assertThat(metric(agent, "kvorum_agent_watchers")).isEqualTo(100);
      assertThat(metric(member.url, "etcd_debugging_mvcc_watcher_total")).isEqualTo(1);
      long revision = put(agent.channel, "a/y", "v");
      for (PermissionWorld.Stream stream : streams) {
        WatchResponse event = stream.next();
        assertThat(event.getWatchId()).isEqualTo(1);
        assertThat(event.getEvents(0).getKv().getModRevision()).isEqualTo(revision);
      }
      PermissionWorld.Stream last = streams.getLast();
      last.watch("elsewhere");
      assertThat(last.next().getCreated()).isTrue();
      assertThat(metric(member.url, "etcd_debugging_mvcc_watcher_total")).isEqualTo(2);
      put(agent.channel, "elsewhere", "v");
      assertThat(last.next().getEvents(0).getKv().getKey().toStringUtf8()).isEqualTo("elsewhere");
      streams.forEach(PermissionWorld.Stream::close);
    }
  }

  @Test
  void cut_off_it_serves_what_it_has_if_asked_to_and_refuses_the_rest() throws Exception {
    LoneMember member = new LoneMember(temp.resolve("m0"));
    try (TestAgent stale = new TestAgent("--endpoints=" + member.url, "--mirror=a/", "--stale-reads", "--dial-timeout=500ms");
        TestAgent strict = new TestAgent("--endpoints=" + member.url, "--mirror=a/", "--dial-timeout=500ms")) {
      put(member.channel, "a/1", "v");
      for (TestAgent agent : new TestAgent[] {stale, strict}) {
        awaitState(agent, "live");
        await("the key", () -> AgentTest.kv(agent.channel).range(local(prefix("a/"))).getCount() == 1);
      }
      member.close();
      awaitState(stale, "cut_off");
      awaitState(strict, "cut_off");
      AtomicReference<Metadata> headers = new AtomicReference<>();
      RangeResponse old =
          AgentTest.kv(stale.channel)
              .withInterceptors(MetadataUtils.newCaptureMetadataInterceptor(headers, new AtomicReference<>()))
              .range(local(prefix("a/")));
      assertThat(old.getKvs(0).getValue().toStringUtf8()).isEqualTo("v");
      assertThat(Long.parseLong(headers.get().get(STALE))).isBetween(5_000L, 60_000L);
      assertThat(metric(stale, "kvorum_agent_stale_reads_total")).isEqualTo(1);
      HttpResponse<String> page = gateway(stale);
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(Long.parseLong(page.headers().firstValue("Grpc-Metadata-Kvorum-Stale").orElseThrow())).isGreaterThanOrEqualTo(5_000L);
      String lost = "UNAVAILABLE: etcdserver: request timed out, possibly due to connection lost";
      assertThatThrownBy(() -> AgentTest.kv(strict.channel).range(local(prefix("a/")))).hasMessage(lost);
      assertThatThrownBy(() -> AgentTest.kv(stale.channel).range(prefix("a/"))).hasMessage(lost);
      assertThatThrownBy(() -> AgentTest.kv(stale.channel).range(local(prefix("b/")))).hasMessage(lost);
      assertThatThrownBy(() -> put(stale.channel, "a/1", "w")).hasMessage(lost);
      assertThat(status(stale, "/readyz")).isEqualTo(200);
      assertThat(status(strict, "/readyz")).isEqualTo(503);
      assertThat(status(strict, "/livez")).isEqualTo(200);
    }
  }

  private static HttpResponse<String> gateway(TestAgent agent) throws Exception {
    String body = "{\"key\":\"YS8x\",\"serializable\":true}";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent.port + "/v3/kv/range")).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static int status(TestAgent agent, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent.port + path)).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  @Test
  void a_user_who_is_gone_reads_nothing_more_from_the_copy() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      Map<String, String> tokens = new PermissionWorld(member.channel, "secret").build();
      Path password = Files.writeString(temp.resolve("password"), "keeper");
      try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--mirror=a", "--stale-reads", "--user=keeper", "--password-file=" + password)) {
        awaitState(agent, "live");
        assertThat(AgentTest.kv(agent.channel).range(local(prefix("a"))).getCount()).isEqualTo(1);
        AuthGrpc.newBlockingStub(member.channel)
            .withInterceptors(PermissionWorld.token(tokens.get("root")))
            .userDelete(AuthUserDeleteRequest.newBuilder().setName("keeper").build());
        await(
            "the refusal",
            () -> {
              try {
                AgentTest.kv(agent.channel).range(local(prefix("a")));
                return false;
              } catch (StatusRuntimeException refused) {
                return refused.getMessage().equals("INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password");
              }
            });
        awaitState(agent, "refused");
      }
    }
  }
}
