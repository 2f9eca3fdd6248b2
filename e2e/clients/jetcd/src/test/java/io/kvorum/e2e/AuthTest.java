package io.kvorum.e2e;

import static io.kvorum.e2e.Clients.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.etcd.jetcd.Auth;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.auth.Permission;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchResponse;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Users, roles and what they may do. On a cluster without users they are introduced first and done away with at the end. */
@Timeout(60)
class AuthTest {
  private static final int WAIT_SECONDS = 20;
  private static final String PASSWORD = "of-root";

  private static Client open;
  private static Client root;

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  @BeforeAll
  static void enable() throws Exception {
    if (Clients.secured()) {
      root = Clients.any();
      return;
    }
    open = Clients.any();
    Auth auth = open.getAuthClient();
    assertThatThrownBy(() -> get(auth.authEnable())).hasMessageContaining("root user does not exist");
    get(auth.userAdd(bytes("root"), bytes(PASSWORD)));
    assertThatThrownBy(() -> get(auth.authEnable())).hasMessageContaining("root user does not have root role");
    get(auth.userGrantRole(bytes("root"), bytes("root")));
    get(auth.authEnable());
    root = Clients.of("root", PASSWORD, Clients.endpoints());
  }

  @AfterAll
  static void disable() throws Exception {
    if (!Clients.secured()) {
      get(root.getAuthClient().authDisable());
      get(open.getAuthClient().userDelete(bytes("root")));
      open.close();
    }
    root.close();
  }

  @Test
  void usersAndRolesComeAndGo() throws Exception {
    Auth auth = root.getAuthClient();
    get(auth.userAdd(bytes("ann"), bytes("a")));
    assertThatThrownBy(() -> get(auth.userAdd(bytes("ann"), bytes("a")))).hasMessageContaining("user name already exists");
    get(auth.roleAdd(bytes("reader")));
    get(auth.roleGrantPermission(bytes("reader"), bytes("auth/"), bytes("auth0"), Permission.Type.READ));
    get(auth.userGrantRole(bytes("ann"), bytes("reader")));
    assertThat(get(auth.userGet(bytes("ann"))).getRoles()).containsExactly("reader");
    assertThat(get(auth.userList()).getUsers()).contains("ann", "root");
    assertThat(get(auth.roleList()).getRoles()).contains("reader");
    assertThat(get(auth.roleGet(bytes("reader"))).getPermissions())
        .singleElement()
        .satisfies(permission -> assertThat(permission.getPermType()).isEqualTo(Permission.Type.READ));
    get(auth.roleRevokePermission(bytes("reader"), bytes("auth/"), bytes("auth0")));
    assertThat(get(auth.roleGet(bytes("reader"))).getPermissions()).isEmpty();
    get(auth.userRevokeRole(bytes("ann"), bytes("reader")));
    assertThatThrownBy(() -> get(auth.userRevokeRole(bytes("ann"), bytes("reader")))).hasMessageContaining("role is not granted to the user");
    get(auth.roleDelete(bytes("reader")));
    get(auth.userDelete(bytes("ann")));
    assertThatThrownBy(() -> get(auth.userGet(bytes("ann")))).hasMessageContaining("user name not found");
  }

  @Test
  void aUserMayWhatItsRolesSayAndNothingElse() throws Exception {
    Auth auth = root.getAuthClient();
    get(auth.userAdd(bytes("bob"), bytes("b")));
    get(auth.roleAdd(bytes("bobs")));
    get(auth.roleGrantPermission(bytes("bobs"), bytes("bob/"), bytes("bob0"), Permission.Type.READWRITE));
    get(auth.userGrantRole(bytes("bob"), bytes("bobs")));
    get(root.getKVClient().put(bytes("other"), bytes("1")));
    try (Client bob = Clients.of("bob", "b", Clients.endpoints())) {
      get(bob.getKVClient().put(bytes("bob/a"), bytes("1")));
      assertThat(get(bob.getKVClient().get(bytes("bob/"), GetOption.builder().isPrefix(true).build())).getCount()).isEqualTo(1);
      assertThatThrownBy(() -> get(bob.getKVClient().put(bytes("other"), bytes("2")))).hasMessageContaining("permission denied");
      assertThatThrownBy(() -> get(bob.getKVClient().get(bytes("other")))).hasMessageContaining("permission denied");
      assertThatThrownBy(() -> get(bob.getAuthClient().userList())).hasMessageContaining("permission denied");
      assertThatThrownBy(() -> get(bob.getKVClient().compact(1))).hasMessageContaining("permission denied");
      long lease = get(bob.getLeaseClient().grant(60)).getID();
      get(bob.getLockClient().unlock(get(bob.getLockClient().lock(bytes("bob/l"), lease)).getKey()));
      assertThatThrownBy(() -> get(bob.getLockClient().lock(bytes("l"), lease))).hasMessageContaining("permission denied");
      watches(bob);
      get(auth.userChangePassword(bytes("bob"), bytes("c")));
      assertThatThrownBy(() -> get(bob.getKVClient().put(bytes("bob/a"), bytes("2")))).hasMessageContaining("UNAUTHENTICATED");
    }
    try (Client bob = Clients.of("bob", "c", Clients.endpoints())) {
      get(bob.getKVClient().put(bytes("bob/a"), bytes("3")));
    }
    get(auth.userDelete(bytes("bob")));
    get(auth.roleDelete(bytes("bobs")));
  }

  private static void watches(Client bob) throws Exception {
    BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
    try (var watcher =
        bob.getWatchClient().watch(bytes("bob/"), WatchOption.builder().isPrefix(true).withCreateNotify(true).build(), (WatchResponse response) -> seen.add(response))) {
      assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isNotNull();
      get(root.getKVClient().put(bytes("bob/w"), bytes("1")));
      assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isInstanceOfSatisfying(WatchResponse.class, response -> assertThat(response.getEvents()).hasSize(1));
      get(root.getKVClient().delete(bytes("bob/w")));
    }
  }

  @Test
  void aWrongPasswordIsRefused() {
    try (Client wrong = Clients.of("root", "guess", Clients.endpoints())) {
      assertThatThrownBy(() -> get(wrong.getKVClient().get(bytes("a")))).hasMessageContaining("UNAUTHENTICATED");
    }
  }
}
