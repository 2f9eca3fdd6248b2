package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.agent.TestAgent;
import io.kvorum.server.agent.registration.Deregister;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Agents that register their pods and tell of each other by DNS, in front of real members. */
@Timeout(180)
class AgentDiscoveryTest {
  @TempDir Path temp;

  /** True in the end; may throw meanwhile. */
  @FunctionalInterface
  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      try {
        if (condition.holds()) {
          return;
        }
      } catch (NamingException | StatusRuntimeException notYet) {
        assertThat(System.nanoTime()).as("waiting: " + what + ": " + notYet).isLessThan(deadline);
      }
      assertThat(System.nanoTime()).as("waiting: " + what).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  private TestAgent agent(List<LoneMember> members, String pod, String... more) throws Exception {
    Stream<String> own =
        Stream.of(
            "--endpoints=" + members.stream().map(member -> member.url).collect(Collectors.joining(",")), "--register=web", "--register-name=" + pod,
            "--register-address=10.0.0." + pod.length() + ":80", "--readiness=none", "--register-ttl=5", "--control-socket=" + temp.resolve(pod + ".sock"),
            "--dns-listen=127.0.0.1:0");
    return new TestAgent(Stream.concat(own, Stream.of(more)).toArray(String[]::new));
  }

  private static Optional<KeyValue> entry(LoneMember member, String pod) {
    RangeRequest question = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("services/web/" + pod)).build();
    return KVGrpc.newBlockingStub(member.channel).withDeadlineAfter(5, TimeUnit.SECONDS).range(question).getKvsList().stream().findFirst();
  }

  private static List<String> addresses(TestAgent of, String name) throws NamingException {
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
    settings.put("java.naming.provider.url", "dns://127.0.0.1:" + of.dns().getPort());
    InitialDirContext context = new InitialDirContext(settings);
    try {
      Attribute found = context.getAttributes(name, new String[] {"A"}).get("A");
      return Collections.list(found.getAll()).stream().map(String::valueOf).sorted().toList();
    } finally {
      context.close();
    }
  }

  @Test
  void pods_register_find_each_other_and_go() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"));
        TestAgent first = agent(List.of(member), "p", "--listen-metrics-urls=http://127.0.0.1:0")) {
      try (TestAgent second = agent(List.of(member), "pp", "--mirror=services/", "--data-dir=" + temp.resolve("copy"))) {
        await("both by DNS of each", () -> addresses(first, "web.services.kvorum.local").equals(List.of("10.0.0.1", "10.0.0.2")));
        await("both by DNS of each", () -> addresses(second, "web.services.kvorum.local").equals(List.of("10.0.0.1", "10.0.0.2")));
        assertThat(entry(member, "pp").orElseThrow().getValue().toStringUtf8()).isEqualTo("{\"Op\":0,\"Addr\":\"10.0.0.2:80\",\"Metadata\":null}");
      }
      assertThat(entry(member, "pp")).as("gone when the stop is over").isEmpty();
      await("the other alone", () -> addresses(first, "web.services.kvorum.local").equals(List.of("10.0.0.1")));

      StringBuilder err = new StringBuilder();
      assertThat(Deregister.run(List.of("--control-socket=" + temp.resolve("p.sock")), Map.of(), new StringBuilder(), err)).as(err.toString()).isZero();
      assertThat(entry(member, "p")).isEmpty();
      assertThat(KVGrpc.newBlockingStub(first.channel).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("x")).build()).getHeader().getRevision())
          .as("it goes on serving").isPositive();
      assertThat(metrics(first)).contains("kvorum_agent_registration_events_total{reason=\"deregistered\"} 1", "kvorum_agent_dns_instances 0");
    }
  }

  private static String metrics(TestAgent agent) throws Exception {
    try (var http = java.net.http.HttpClient.newHttpClient()) {
      var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create("http://127.0.0.1:" + agent.metricsPort() + "/metrics")).build();
      return http.send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  @Test
  void a_registration_outlives_the_leader_and_each_member_in_turn() throws Exception {
    List<LoneMember> members = LoneMember.three(temp, "--election-timeout=1000");
    try (TestAgent agent = agent(members, "p")) {
      await("the entry", () -> entry(members.getFirst(), "p").isPresent());
      KeyValue before = entry(members.getFirst(), "p").orElseThrow();
      LoneMember leader = leader(members);
      leader.close();
      LoneMember other = members.stream().filter(member -> member != leader).findFirst().orElseThrow();
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
      await("more than a lease's time without the former leader", () -> System.nanoTime() > until);
      assertThat(entry(other, "p")).hasValueSatisfying(after -> assertThat(after.getCreateRevision()).isEqualTo(before.getCreateRevision()));
      assertThat(addresses(agent, "web.services.kvorum.local")).containsExactly("10.0.0.1");
      agent.close();
      assertThat(entry(other, "p")).isEmpty();
    } finally {
      for (LoneMember member : members) {
        member.close();
      }
    }
  }

  private static LoneMember leader(List<LoneMember> members) throws Exception {
    for (LoneMember member : members) {
      StatusResponse status = MaintenanceGrpc.newBlockingStub(member.channel).status(StatusRequest.getDefaultInstance());
      if (status.getLeader() == status.getHeader().getMemberId()) {
        return member;
      }
    }
    throw new AssertionError("nobody leads");
  }
}
