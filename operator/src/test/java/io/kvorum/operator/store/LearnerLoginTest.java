package io.kvorum.operator.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A learner refuses to log anybody in, and asks for a token all the same. */
class LearnerLoginTest {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> GIVEN = Context.key("token");

  private final List<Server> servers = new ArrayList<>();

  @AfterEach
  void stop() {
    servers.forEach(Server::shutdownNow);
  }

  @Test
  void a_learner_is_seen_with_the_token_of_a_voter() throws Exception {
    Endpoint voter = member("voter", false);
    Endpoint learner = member("learner", true);
    StoreAccess access = new StoreAccess(Optional.empty(), Optional.of(new StoreAccess.Login("root", "secret")));
    try (GrpcStoreAdmin admin = new GrpcStoreAdmin(() -> access, Clock.systemUTC())) {
      admin.observe(List.of(learner, voter));
      StatusResponse answer = admin.call(learner, MaintenanceGrpc::newBlockingStub, stub -> stub.status(StatusRequest.getDefaultInstance()));
      assertThat(answer.getIsLearner()).isTrue();
      answer = admin.call(voter, MaintenanceGrpc::newBlockingStub, stub -> stub.status(StatusRequest.getDefaultInstance()));
      assertThat(answer.getIsLearner()).isFalse();
    }
  }

  private Endpoint member(String name, boolean learner) throws Exception {
    BindableService auth =
        new AuthGrpc.AuthImplBase() {
          @Override
          public void authenticate(AuthenticateRequest request, StreamObserver<AuthenticateResponse> observer) {
            if (learner) {
              observer.onError(Status.UNAVAILABLE.withDescription("etcdserver: rpc not supported for learner").asRuntimeException());
              return;
            }
            observer.onNext(AuthenticateResponse.newBuilder().setToken("token.1").build());
            observer.onCompleted();
          }
        };
    BindableService maintenance =
        new MaintenanceGrpc.MaintenanceImplBase() {
          @Override
          public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
            if (!"token.1".equals(GIVEN.get())) {
              observer.onError(Status.INVALID_ARGUMENT.withDescription("etcdserver: user name is empty").asRuntimeException());
              return;
            }
            observer.onNext(StatusResponse.newBuilder().setIsLearner(learner).build());
            observer.onCompleted();
          }
        };
    ServerInterceptor token =
        new ServerInterceptor() {
          @Override
          public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            return Contexts.interceptCall(Context.current().withValue(GIVEN, headers.get(TOKEN)), call, headers, next);
          }
        };
    Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).addService(auth).addService(maintenance).intercept(token).build().start();
    servers.add(server);
    return new Endpoint(name, "http://127.0.0.1:" + server.getPort());
  }
}
