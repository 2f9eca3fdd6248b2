package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.base.FreePorts;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Agents as processes: what is left of a registration when one is asked, told, or killed. */
@Timeout(300)
class AgentDiscoveryIT {
  private static final String PROGRAM = Processes.DIST.resolve("bin").resolve("kvorum").toString();
  private static final long TTL_SECONDS = 3;

  @TempDir Path temp;
  private Processes cluster;
  private Process agent;

  @BeforeEach
  void start() throws Exception {
    cluster = new Processes(temp, 1);
    cluster.start(0);
    cluster.awaitReady(0);
  }

  @AfterEach
  void stop() throws Exception {
    if (agent != null) {
      agent.destroyForcibly().waitFor();
    }
    cluster.close();
  }

  private Path socket() {
    return temp.resolve("agent.sock");
  }

  private void startAgent(int port) throws Exception {
    agent =
        Processes.command(
                temp.resolve("agent.log"), PROGRAM, "agent", "--endpoints=http://127.0.0.1:" + cluster.clientPort(0), "--listen-client-urls=http://127.0.0.1:" + port,
                "--register=web", "--register-name=pod-0", "--register-address=10.0.0.1:80", "--readiness=none", "--register-ttl=" + TTL_SECONDS,
                "--control-socket=" + socket())
            .start();
    await("the entry", true, 60);
  }

  private boolean isRegistered() {
    RangeRequest question = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("services/web/pod-0")).setCountOnly(true).build();
    return cluster.kv(0).range(question).getCount() == 1;
  }

  private void await(String what, boolean registered, long seconds) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (isRegistered() != registered) {
      assertThat(System.nanoTime()).as("waiting: " + what + "\n" + Files.readString(temp.resolve("agent.log"))).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  @Test
  void killed_it_is_gone_within_its_ttl() throws Exception {
    startAgent(FreePorts.one());
    agent.destroyForcibly().waitFor();
    // The time of the lease, half a second until the leader looks, and what a busy machine takes.
    await("no entry", false, TTL_SECONDS + 4);
    startAgent(FreePorts.one());
  }

  @Test
  void told_to_stop_it_is_gone_before_the_process_and_its_port() throws Exception {
    int port = FreePorts.one();
    startAgent(port);
    agent.destroy();
    await("no entry", false, 60);
    assertThat(agent.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(agent.exitValue()).isEqualTo(143);
    String log = Files.readString(temp.resolve("agent.log"));
    assertThat(log.indexOf("the entry was taken away")).isBetween(0, log.indexOf("closed the agent"));
  }

  @Test
  void asked_to_deregister_it_is_gone_and_the_agent_goes_on() throws Exception {
    int port = FreePorts.one();
    startAgent(port);
    Path output = temp.resolve("deregister.log");
    Process command = Processes.command(output, PROGRAM, "agent", "deregister", "--control-socket=" + socket()).start();
    assertThat(command.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(output).hasContent("deregistered\n");
    assertThat(command.exitValue()).isZero();
    assertThat(isRegistered()).isFalse();
    try (Socket connection = new Socket()) {
      connection.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
    }
    assertThat(agent.isAlive()).isTrue();
  }
}
