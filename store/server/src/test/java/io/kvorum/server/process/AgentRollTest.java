package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.agent.TestAgent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A member that is ended in order is not noticed by an agent's callers. */
@Timeout(120)
class AgentRollTest {
  private static final int CALLERS = 4;

  @TempDir Path temp;

  @Test
  void no_call_fails_while_a_member_ends() throws Exception {
    List<LoneMember> members = LoneMember.three(temp);
    String endpoints = members.stream().map(member -> member.url).collect(Collectors.joining(","));
    Queue<String> failures = new ConcurrentLinkedQueue<>();
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger calls = new AtomicInteger();
    List<Thread> callers = new ArrayList<>();
    List<TestAgent> agents = new ArrayList<>();
    try {
      for (int i = 0; i < CALLERS; i++) {
        // Each begins with a member at random: in most runs some with the one that ends.
        TestAgent agent = new TestAgent("--endpoints=" + endpoints);
        agents.add(agent);
        ByteString key = ByteString.copyFromUtf8("k" + i);
        callers.add(Thread.ofPlatform().start(() -> call(agent, key, over, calls, failures)));
      }
      awaitCalls(calls, 100);
      members.get(0).close();
      awaitCalls(calls, calls.get() + 300);
    } finally {
      over.set(true);
      for (Thread caller : callers) {
        caller.join(TimeUnit.SECONDS.toMillis(30));
      }
      for (TestAgent agent : agents) {
        agent.close();
      }
      members.get(1).close();
      members.get(2).close();
    }
    assertThat(failures).isEmpty();
  }

  private static void call(TestAgent agent, ByteString key, AtomicBoolean over, AtomicInteger calls, Queue<String> failures) {
    for (int i = 0; !over.get(); i++) {
      try {
        AgentTest.kv(agent.channel).put(PutRequest.newBuilder().setKey(key).setValue(ByteString.copyFromUtf8("" + i)).build());
        String read = AgentTest.kv(agent.channel).range(RangeRequest.newBuilder().setKey(key).build()).getKvs(0).getValue().toStringUtf8();
        if (!read.equals("" + i)) {
          failures.add("read " + read + " after " + i);
        }
      } catch (StatusRuntimeException failed) {
        failures.add(i + ": " + failed.getMessage());
      }
      calls.incrementAndGet();
    }
  }

  private static void awaitCalls(AtomicInteger calls, int count) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (calls.get() < count) {
      assertThat(System.nanoTime()).as("calls " + calls).isLessThan(deadline);
      Thread.sleep(20);
    }
  }
}
