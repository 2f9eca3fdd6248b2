package io.kvorum.server.front;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.util.List;

/**
 * The services of a client port for callers inside this process: calls pass the same interceptors as those from outside, and messages are handed over as objects. A call runs
 * on its caller's thread.
 */
public final class LocalPort implements AutoCloseable {
  private final String name;
  private Server server;
  private ManagedChannel channel;
  private boolean closed;

  /**
   * @param name unique in this process
   */
  public LocalPort(String name) {
    this.name = name;
  }

  /**
   * Takes calls from now on.
   *
   * @param interceptors before each call, the last one first
   * @param meter hears of each call; null for nobody
   */
  public synchronized void start(List<ServerServiceDefinition> services, List<ServerInterceptor> interceptors, ServerStreamTracer.Factory meter)
      throws IOException {
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name).directExecutor();
    if (meter != null) {
      builder.addStreamTracerFactory(meter);
    }
    services.forEach(builder::addService);
    interceptors.forEach(builder::intercept);
    server = builder.build().start();
  }

  /** The way to the services; calls before the start and after the end are Unavailable. */
  public synchronized Channel channel() {
    if (channel == null) {
      channel = InProcessChannelBuilder.forName(name).directExecutor().maxInboundMessageSize(Integer.MAX_VALUE).build();
      if (closed) {
        channel.shutdownNow();
      }
    }
    return channel;
  }

  /** Ends all calls. */
  @Override
  public synchronized void close() {
    closed = true;
    if (channel != null) {
      channel.shutdownNow();
    }
    if (server != null) {
      server.shutdownNow();
    }
  }
}
