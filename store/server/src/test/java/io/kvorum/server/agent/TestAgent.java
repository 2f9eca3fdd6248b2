package io.kvorum.server.agent;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine;

/** An agent in this process, made from its options, on a port of its own. */
public final class TestAgent implements AutoCloseable {
  public final int port;
  public final ManagedChannel channel;
  private final Agent agent;

  public TestAgent(String... options) throws IOException {
    boolean listens = Stream.of(options).anyMatch(option -> option.startsWith("--listen-client-urls="));
    Stream<String> free = listens ? Stream.empty() : Stream.of("--listen-client-urls=http://127.0.0.1:0");
    CommandLine line = AgentCommand.line(Map.of(), new CompletableFuture<>());
    line.parseArgs(Stream.concat(Stream.of(options), free).toArray(String[]::new));
    AgentCommand command = line.getCommand();
    agent = Agent.start(command.settings());
    List<Integer> ports = agent.clientPorts();
    port = ports.isEmpty() ? 0 : ports.getFirst();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", Math.max(1, port)).usePlaintext().build();
  }

  public int metricsPort() {
    return agent.metricsPorts().getFirst();
  }

  /** Where DNS is served. */
  public InetSocketAddress dns() {
    return agent.dnsAddresses().getFirst();
  }

  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    agent.close();
  }
}
