package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.base.FreePorts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An agent as a process of its own, in front of three members, one of which is killed. */
class AgentIT {
  private static final long DEADLINE_SECONDS = 60;
  private static final int SIGTERM_STATUS = 143;

  @TempDir Path temp;

  private static PutRequest put(int i) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("a/" + i)).setValue(ByteString.copyFromUtf8("v")).build();
  }

  @Test
  void it_starts_goes_on_without_a_member_and_stops_at_sigterm() throws Exception {
    Path output = temp.resolve("agent.log");
    Path copy = temp.resolve("copy");
    int port = FreePorts.one();
    try (Processes processes = new Processes(temp, 3)) {
      processes.startAll();
      processes.awaitLeader();
      String endpoints = "http://127.0.0.1:" + processes.clientPort(0) + ",http://127.0.0.1:" + processes.clientPort(1) + ",http://127.0.0.1:" + processes.clientPort(2);
      ProcessBuilder command =
          Processes.command(output, Processes.DIST.resolve("bin").resolve("kvorum").toString(), "agent", "--mirror=a/", "--data-dir=" + copy);
      command.environment().put("KVORUM_AGENT_ENDPOINTS", endpoints);
      command.environment().put("KVORUM_AGENT_LISTEN_CLIENT_URLS", "http://127.0.0.1:" + port);
      Process agent = command.start();
      ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
      try {
        awaitReady(output, agent);
        for (int i = 0; i < 20; i++) {
          AgentTest.kv(channel).put(put(i));
        }
        int leader = processes.awaitLeader();
        processes.kill(leader);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        int written = 20;
        while (written < 40) {
          try {
            AgentTest.kv(channel).put(put(written));
            written++;
          } catch (StatusRuntimeException noLeaderYet) {
            assertThat(System.nanoTime()).as(noLeaderYet.toString()).isLessThan(until);
            Thread.sleep(50);
          }
        }
        RangeRequest all =
            RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("a/")).setRangeEnd(ByteString.copyFromUtf8("a0")).setSerializable(true).build();
        assertThat(AgentTest.kv(channel).range(all).getCount()).isEqualTo(40);
        agent.destroy();
        assertThat(agent.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(agent.exitValue()).isEqualTo(SIGTERM_STATUS);
        assertThat(Files.readString(output)).contains("received signal; shutting down", "closed the agent").doesNotContain("Exception");
        assertThatThrownBy(() -> AgentTest.kv(channel).range(all)).hasMessageStartingWith("UNAVAILABLE");
      } finally {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        agent.destroyForcibly().waitFor();
      }
    }
  }

  private static void awaitReady(Path output, Process agent) throws Exception {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!Files.readString(output).contains("ready to serve client requests")) {
      assertThat(agent.isAlive() && System.nanoTime() < until).as(Files.readString(output)).isTrue();
      Thread.sleep(20);
    }
  }
}
