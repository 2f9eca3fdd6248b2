import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall;
import io.grpc.ForwardingClientCallListener;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthGrpc;
import java.net.SocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** What {@code app call} does in Go, with gRPC-Java and Kvorum's discovery library: {@code Caller kvorum:///services/NAME}. Run from its source, in the store's image. */
public final class Caller {
  private static final Metadata.Key<String> POD = Metadata.Key.of("pod", Metadata.ASCII_STRING_MARSHALLER);
  private static final int CALLERS = 4;
  private static final long CALL_PAUSE_MILLIS = 10;
  private static final long CALL_TIMEOUT_SECONDS = 5;

  private final Map<String, Integer> answered = new TreeMap<>();
  private final List<String> failed = new ArrayList<>();

  public static void main(String[] args) throws InterruptedException {
    ManagedChannel channel = Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).defaultLoadBalancingPolicy("round_robin").build();
    HealthGrpc.newBlockingStub(channel).withWaitForReady().check(HealthCheckRequest.getDefaultInstance());
    Caller caller = new Caller();
    for (int i = 0; i < CALLERS; i++) {
      Thread.ofVirtual().start(() -> caller.call(channel));
    }
    while (true) {
      Thread.sleep(1_000);
      System.out.println(caller.take());
    }
  }

  private void call(Channel channel) {
    while (true) {
      Seen seen = new Seen();
      Instant began = Instant.now();
      try {
        HealthGrpc.newBlockingStub(channel).withInterceptors(seen).withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS).check(HealthCheckRequest.getDefaultInstance());
        ok(seen.pod);
      } catch (StatusRuntimeException e) {
        failed(began, seen.peer, e.getMessage());
      }
      try {
        Thread.sleep(CALL_PAUSE_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized void ok(String pod) {
    answered.merge(pod, 1, Integer::sum);
  }

  private synchronized void failed(Instant began, String peer, String error) {
    failed.add("{\"at\": \"" + began + "\", \"peer\": \"" + peer + "\", \"error\": \"" + error.replaceAll("[\"\\\\\\p{Cntrl}]", "'") + "\"}");
  }

  private synchronized String take() {
    List<String> ok = answered.entrySet().stream().map(one -> "\"" + one.getKey() + "\": " + one.getValue()).toList();
    String line = "{\"at\": \"" + Instant.now() + "\", \"ok\": {" + String.join(", ", ok) + "}, \"failed\": [" + String.join(", ", failed) + "]}";
    answered.clear();
    failed.clear();
    return line;
  }

  /** The pod that answered a call, and who had it. */
  private static final class Seen implements ClientInterceptor {
    private volatile String pod = "";
    private volatile String peer = "";

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
      return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          ClientCall<Q, A> call = delegate();
          super.start(
              new ForwardingClientCallListener.SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onHeaders(Metadata answer) {
                  pod = String.valueOf(answer.get(POD));
                  super.onHeaders(answer);
                }

                @Override
                public void onClose(io.grpc.Status status, Metadata trailers) {
                  SocketAddress with = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
                  peer = with == null ? "" : with.toString().replaceFirst(".*/", "");
                  super.onClose(status, trailers);
                }
              },
              headers);
        }
      };
    }
  }
}
