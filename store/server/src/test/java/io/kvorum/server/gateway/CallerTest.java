package io.kvorum.server.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.front.HttpRequest;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.recipe.LockService;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever calls through the gateway, and through a recipe, is asked for the same token as any client. */
class CallerTest {
  private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final LocalPort port = new LocalPort("caller-test");
  private final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();

  /** Refuses those without the right token, as authentication does. */
  private final class Guard implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      seen.add(call.getMethodDescriptor().getBareMethodName() + " " + headers.get(AUTHORIZATION) + " " + headers.get(TOKEN));
      boolean inner = call.getMethodDescriptor().getServiceName().equals(KVGrpc.SERVICE_NAME);
      if (inner && !"secret".equals(headers.get(AUTHORIZATION))) {
        call.close(EtcdError.PERMISSION_DENIED.status(), new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return next.startCall(call, headers);
    }
  }

  @BeforeEach
  void start() throws Exception {
    KVGrpc.AsyncService keys =
        new KVGrpc.AsyncService() {
          @Override
          public void deleteRange(DeleteRangeRequest request, StreamObserver<DeleteRangeResponse> answer) {
            answer.onNext(DeleteRangeResponse.getDefaultInstance());
            answer.onCompleted();
          }
        };
    port.start(List.of(KVGrpc.bindService(keys), new LockService(port::channel, threads).bindService()), List.of(new Guard()), null);
  }

  @AfterEach
  void stop() {
    port.close();
    threads.shutdownNow();
  }

  private HttpResponse call(String path, Map<String, String> headers) throws Exception {
    CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    byte[] body = "{\"key\":\"YQ==\"}".getBytes(StandardCharsets.UTF_8);
    new Gateway(port::channel, threads, 1 << 20).handle(new HttpRequest("POST", path, Map.of(), headers, body, false), answer::complete);
    return answer.get(20, TimeUnit.SECONDS);
  }

  @Test
  void the_token_goes_with_the_call_and_with_the_calls_in_its_name() throws Exception {
    Map<String, String> headers = Map.of("authorization", "secret", "grpc-metadata-token", "t", "grpc-metadata-not valid", "x");
    assertThat(call("/v3/lock/unlock", headers).status()).isEqualTo(200);
    assertThat(seen).containsExactly("Unlock secret t", "DeleteRange secret t");
  }

  @Test
  void without_it_the_same_call_is_refused() throws Exception {
    HttpResponse direct = call("/v3/kv/deleterange", Map.of());
    assertThat(direct.status()).isEqualTo(403);
    assertThat(new String(direct.body(), StandardCharsets.UTF_8)).isEqualTo("{\"code\":7,\"message\":\"etcdserver: permission denied\"}");
    HttpResponse inner = call("/v3/lock/unlock", Map.of());
    assertThat(inner.status()).isEqualTo(500);
    assertThat(new String(inner.body(), StandardCharsets.UTF_8)).isEqualTo("{\"code\":2,\"message\":\"etcdserver: permission denied\"}");
  }

  @Test
  void a_service_that_is_not_there_is_not_implemented() throws Exception {
    assertThat(call("/v3/maintenance/snapshot", Map.of()).status()).isEqualTo(501);
  }
}
