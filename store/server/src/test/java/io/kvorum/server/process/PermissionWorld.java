package io.kvorum.server.process;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The users, keys and leases that {@link PermissionTable} speaks of. */
final class PermissionWorld {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final long SECONDS = 20;

  private final Channel channel;
  private final String secret;

  PermissionWorld(Channel channel, String secret) {
    this.channel = channel;
    this.secret = secret;
  }

  static ClientInterceptor token(String token) {
    Metadata headers = new Metadata();
    if (token != null) {
      headers.put(TOKEN, token);
    }
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  static void put(Channel channel, String token, String key, String value) {
    KVGrpc.newBlockingStub(channel).withInterceptors(token(token)).put(PutRequest.newBuilder().setKey(utf8(key)).setValue(utf8(value)).build());
  }

  /** Makes it all and switches permissions on; the users' tokens. */
  Map<String, String> build() {
    put(channel, null, "a", "0");
    put(channel, null, "secret-key", secret);
    lease(77, "z");
    lease(78, "b");
    AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(channel);
    List<String> users = List.of("ended", "bare", "reader", "writer", "keeper", "root");
    users.forEach(user -> auth.userAdd(AuthUserAddRequest.newBuilder().setName(user).setPassword(user).build()));
    role(auth, "reader", Permission.Type.READ);
    role(auth, "writer", Permission.Type.WRITE);
    role(auth, "keeper", Permission.Type.READWRITE);
    auth.roleAdd(AuthRoleAddRequest.newBuilder().setName("root").build());
    auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
    auth.authEnable(AuthEnableRequest.getDefaultInstance());
    Map<String, String> tokens = new HashMap<>();
    users.forEach(user -> tokens.put(user, auth.authenticate(AuthenticateRequest.newBuilder().setName(user).setPassword(user).build()).getToken()));
    return tokens;
  }

  private void lease(long id, String key) {
    LeaseGrpc.newBlockingStub(channel).leaseGrant(LeaseGrantRequest.newBuilder().setID(id).setTTL(1_000).build());
    KVGrpc.newBlockingStub(channel).put(PutRequest.newBuilder().setKey(utf8(key)).setValue(utf8("0")).setLease(id).build());
  }

  private static void role(AuthGrpc.AuthBlockingStub auth, String name, Permission.Type type) {
    auth.roleAdd(AuthRoleAddRequest.newBuilder().setName(name).build());
    Permission permission = Permission.newBuilder().setPermType(type).setKey(utf8("a")).setRangeEnd(utf8("c")).build();
    auth.roleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName(name).setPerm(permission).build());
    auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser(name).setRole(name).build());
  }

  /** A watch stream of one user. */
  static final class Stream implements AutoCloseable {
    private final BlockingQueue<WatchResponse> answers = new LinkedBlockingQueue<>();
    private final StreamObserver<WatchRequest> requests;

    Stream(Channel channel, String token) {
      requests =
          WatchGrpc.newStub(channel)
              .withInterceptors(token(token))
              .watch(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(WatchResponse answer) {
                      answers.add(answer);
                    }

                    @Override
                    public void onError(Throwable reason) {
                      answers.add(WatchResponse.newBuilder().setCancelReason(reason.getMessage()).build());
                    }

                    @Override
                    public void onCompleted() {
                      answers.add(WatchResponse.newBuilder().setCancelReason("completed").build());
                    }
                  });
    }

    void watch(String key) {
      requests.onNext(WatchRequest.newBuilder().setCreateRequest(WatchCreateRequest.newBuilder().setKey(utf8(key))).build());
    }

    WatchResponse next() throws InterruptedException {
      WatchResponse answer = answers.poll(SECONDS, TimeUnit.SECONDS);
      if (answer == null) {
        throw new AssertionError("nothing came");
      }
      return answer;
    }

    @Override
    public void close() {
      requests.onCompleted();
    }
  }
}
