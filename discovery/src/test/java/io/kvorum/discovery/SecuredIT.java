package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With TLS and users: the authority and the token come from files. */
class SecuredIT {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path temp;

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static void users(Channel channel) {
    AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(channel);
    for (String user : List.of("root", "orders")) {
      auth.userAdd(AuthUserAddRequest.newBuilder().setName(user).setPassword(user).build());
      auth.roleAdd(AuthRoleAddRequest.newBuilder().setName(user).build());
      auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser(user).setRole(user).build());
    }
    Permission own = Permission.newBuilder().setPermType(Permission.Type.READWRITE).setKey(utf8("services/orders/")).setRangeEnd(utf8("services/orders0")).build();
    auth.roleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName("orders").setPerm(own).build());
    auth.authEnable(AuthEnableRequest.getDefaultInstance());
  }

  @Test
  void a_token_that_comes_late_is_used_and_permissions_hold() throws Exception {
    try (KvorumProcess store = new KvorumProcess(temp, "https", "--auto-tls", "--bcrypt-cost=4")) {
      Path ca = temp.resolve("data/fixtures/client/cert.pem");
      Path token = Files.writeString(temp.resolve("token"), "not yet\n");
      StoreOptions options = new StoreOptions(List.of(store.url), ca, token);
      try (EndpointStore way = new EndpointStore(new StoreOptions(List.of(store.url), ca, null))) {
        users(way.channel());
        try (ServiceDirectory orders = ServiceDirectory.open("services/orders", options);
            ServiceDirectory others = ServiceDirectory.open("services/others", options)) {
          Await.until("the refusal", () -> orders.trouble().isPresent());
          assertThat(orders.trouble()).contains("UNAUTHENTICATED etcdserver: invalid auth token");
          AuthenticateRequest login = AuthenticateRequest.newBuilder().setName("orders").setPassword("orders").build();
          Files.writeString(token, AuthGrpc.newBlockingStub(way.channel()).authenticate(login).getToken() + "\n");
          orders.await(LONG);
          ServiceInstance one = new ServiceInstance("services/orders/one", "10.0.0.1:80", Map.of());
          try (LeasedPut registration = LeasedPut.register(one, Duration.ofSeconds(30), options)) {
            registration.await(LONG);
            Await.until("it is found", () -> orders.instances().equals(List.of(one)));
          }
          Await.until("it has left", () -> orders.instances().isEmpty());
          Await.until("the other is refused", () -> others.trouble().equals(Optional.of("PERMISSION_DENIED etcdserver: permission denied")));
        }
      }
    }
  }
}
