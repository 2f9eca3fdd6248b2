import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthGrpc;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Calls grpc.health.v1.Health of a service through kvorum-discovery, again and again until its input ends, under the name "java"; the store is where KVORUM_ENDPOINTS says. Each failed call is a
 * line {@code failed MILLIS TEXT}, the last line is {@code calls N}.
 *
 * <p>{@code java -cp kvorum-discovery.jar:lib/* Caller.java kvorum:///services/NAME}
 */
final class Caller {
  private static final long PAUSE_MILLIS = 2;
  private static final long ANSWER_SECONDS = 5;

  private Caller() {}

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).defaultLoadBalancingPolicy("round_robin").build();
    AtomicBoolean ended = new AtomicBoolean();
    Thread.ofVirtual().start(() -> ended.set(readAll()));
    HealthGrpc.HealthBlockingStub service = HealthGrpc.newBlockingStub(channel);
    HealthCheckRequest request = HealthCheckRequest.newBuilder().setService("java").build();
    long calls = 0;
    for (; !ended.get(); calls++) {
      try {
        service.withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS).check(request);
      } catch (StatusRuntimeException failed) {
        System.out.println("failed " + System.currentTimeMillis() + " " + failed.getMessage());
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    System.out.println("calls " + calls);
    channel.shutdownNow().awaitTermination(ANSWER_SECONDS, TimeUnit.SECONDS);
  }

  private static boolean readAll() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException broken) {
      System.err.println(broken);
    }
    return true;
  }
}
