package io.kvorum.server.metrics;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts gRPC calls as the Prometheus interceptor of Go does: {@code grpc_server_*}, each method there from the start with every code at 0; and etcd's counters of bytes and of failed
 * streams. A call costs one look-up, one small object and some striped additions.
 */
public final class CallMeter extends ServerStreamTracer.Factory implements MetricSource {
  /** For {@code slowNanos}: no call is slow. */
  public static final long NEVER_NANOS = Long.MAX_VALUE;

  private static final double[] SECONDS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  private static final Map<String, String> STREAMS = Map.of("etcdserverpb.Watch/Watch", "watch", "etcdserverpb.Lease/LeaseKeepAlive", "lease-keepalive");

  /** Of methods that do not exist: those calls are not counted, as in etcd. */
  private static final ServerStreamTracer NOT_COUNTED = new ServerStreamTracer() {};

  private final Map<String, Method> methods = new HashMap<>();
  private final LongAdder receivedBytes = new LongAdder();
  private final LongAdder sentBytes = new LongAdder();
  private final LabelledCounter streamFailures = new LabelledCounter();
  private final boolean extensive;
  private volatile long slowNanos;
  private final SlowCalls slow;

  /** Hears of unary calls that took long; on any thread. */
  @FunctionalInterface
  public interface SlowCalls {
    void slow(CallReport report);
  }

  /**
   * A unary call that has ended.
   *
   * @param method full name
   * @param remote address of the caller
   * @param requestBytes of its message, 0 from inside this process
   * @param responseBytes of the answer, 0 from inside this process
   */
  public record CallReport(String method, String remote, Status status, long nanos, long requestBytes, long responseBytes) {}

  /**
   * @param services whose calls are counted
   * @param extensive how long calls take as well: {@code grpc_server_handling_seconds}
   * @param slowNanos unary calls that take longer are told to {@code slow}
   */
  public CallMeter(List<ServerServiceDefinition> services, boolean extensive, long slowNanos, SlowCalls slow) {
    this.extensive = extensive;
    this.slowNanos = slowNanos;
    this.slow = slow;
    for (ServerServiceDefinition service : services) {
      service.getMethods().forEach(method -> methods.put(method.getMethodDescriptor().getFullMethodName(), new Method(method.getMethodDescriptor(), extensive)));
    }
  }

  /** Unary calls that take longer are told from now on; any thread. */
  public void warnAfter(long nanos) {
    slowNanos = nanos;
  }

  /** Also records how long calls of a method take in this histogram, those that succeed. */
  public CallMeter alsoIn(String fullMethodName, Histogram histogram) {
    methods.get(fullMethodName).also = histogram;
    return this;
  }

  /** Calls of a method that have begun and not ended. */
  public long underWay(String fullMethodName) {
    Method method = methods.get(fullMethodName);
    // In this order: a call that ends in between must not be missing.
    long ended = 0;
    for (LongAdder count : method.handled) {
      ended += count.sum();
    }
    return Math.max(0, method.started.sum() - ended);
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
    Method method = methods.get(fullMethodName);
    return method == null ? NOT_COUNTED : new Call(method);
  }

  /** What is counted of one method. */
  private static final class Method {
    private final MethodDescriptor<?, ?> descriptor;
    private final boolean unary;
    private final String labels;
    private final LongAdder started = new LongAdder();
    private final LongAdder received = new LongAdder();
    private final LongAdder sent = new LongAdder();
    private final LongAdder[] handled = new LongAdder[Status.Code.values().length];
    private final Histogram seconds;
    private volatile Histogram also;

    Method(MethodDescriptor<?, ?> descriptor, boolean timed) {
      this.descriptor = descriptor;
      this.unary = descriptor.getType() == MethodDescriptor.MethodType.UNARY;
      this.seconds = timed ? Histogram.ofSeconds(SECONDS) : null;
      this.labels = MetricsText.labels("grpc_method", descriptor.getBareMethodName(), "grpc_service", descriptor.getServiceName(), "grpc_type", type(descriptor.getType()));
      for (int i = 0; i < handled.length; i++) {
        handled[i] = new LongAdder();
      }
    }

    private static String type(MethodDescriptor.MethodType type) {
      return switch (type) {
        case UNARY -> "unary";
        case SERVER_STREAMING -> "server_stream";
        case CLIENT_STREAMING -> "client_stream";
        case BIDI_STREAMING, UNKNOWN -> "bidi_stream";
      };
    }
  }

  private final class Call extends ServerStreamTracer {
    private final Method method;
    private final long began = System.nanoTime();
    private Attributes attributes = Attributes.EMPTY;
    private long requestBytes;
    private long responseBytes;

    Call(Method method) {
      this.method = method;
      method.started.increment();
    }

    @Override
    public void serverCallStarted(ServerCallInfo<?, ?> call) {
      attributes = call.getAttributes();
    }

    @Override
    public void inboundMessageRead(int number, long wireBytes, long bytes) {
      method.received.increment();
      long size = bytes >= 0 ? bytes : wireBytes;
      if (size > 0) {
        requestBytes += size;
        receivedBytes.add(size);
      }
    }

    @Override
    public void outboundMessageSent(int number, long wireBytes, long bytes) {
      method.sent.increment();
      if (bytes > 0) {
        responseBytes += bytes;
        sentBytes.add(bytes);
      }
    }

    @Override
    public void streamClosed(Status status) {
      method.handled[status.getCode().value()].increment();
      long nanos = System.nanoTime() - began;
      if (method.seconds != null) {
        method.seconds.record(nanos);
      }
      if (method.also != null && status.isOk()) {
        method.also.record(nanos);
      }
      if (method.unary) {
        if (nanos > slowNanos) {
          String remote = String.valueOf(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
          slow.slow(new CallReport(method.descriptor.getFullMethodName(), remote, status, nanos, requestBytes, responseBytes));
        }
      } else if (!status.isOk() && status.getCode() != Status.Code.CANCELLED) {
        String stream = STREAMS.get(method.descriptor.getFullMethodName());
        if (stream != null) {
          streamFailures.increment(stream);
        }
      }
    }
  }

  @Override
  public void collect(MetricsText out) {
    for (Method method : new TreeMap<>(methods).values()) {
      out.counter("grpc_server_started_total", "Total number of RPCs started on the server.", method.labels, method.started.sum())
          .counter("grpc_server_msg_received_total", "Total number of RPC stream messages received on the server.", method.labels, method.received.sum())
          .counter("grpc_server_msg_sent_total", "Total number of gRPC stream messages sent by the server.", method.labels, method.sent.sum());
      for (Status.Code code : Status.Code.values()) {
        out.counter(
            "grpc_server_handled_total", "Total number of RPCs completed on the server, regardless of success or failure.",
            MetricsText.labels("grpc_code", goName(code)) + "," + method.labels, method.handled[code.value()].sum());
      }
      if (extensive) {
        out.histogram(
            "grpc_server_handling_seconds", "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.",
            method.labels, method.seconds);
      }
    }
    out.counter("etcd_network_client_grpc_received_bytes_total", "The total number of bytes received from grpc clients.", receivedBytes.sum())
        .counter("etcd_network_client_grpc_sent_bytes_total", "The total number of bytes sent to grpc clients.", sentBytes.sum());
    streamFailures.forEach(
        (stream, count) ->
            out.counter(
                "etcd_network_server_stream_failures_total", "The total number of stream failures from the local server.",
                MetricsText.labels("API", stream, "Type", "send"), count));
  }

  /** Go's name of a code: {@code DEADLINE_EXCEEDED} is DeadlineExceeded, {@code CANCELLED} has one l. */
  static String goName(Status.Code code) {
    if (code == Status.Code.OK) {
      return "OK";
    }
    if (code == Status.Code.CANCELLED) {
      return "Canceled";
    }
    StringBuilder out = new StringBuilder();
    for (String word : code.name().split("_")) {
      out.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return out.toString();
  }
}
