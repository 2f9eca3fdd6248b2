package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.agent.TestAgent;
import io.kvorum.server.front.EventLoops;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may call an agent, and what an agent's user may do. */
@Timeout(120)
class AgentAccessTest {
  private static final String NOT_MINE = "PERMISSION_DENIED: etcdserver: permission denied";
  private static final String NO_TOKEN = "INVALID_ARGUMENT: etcdserver: user name is empty";
  private static final String BAD_TOKEN = "UNAUTHENTICATED: etcdserver: invalid auth token";

  @TempDir Path temp;
  private LoneMember member;

  @BeforeEach
  void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
  }

  @AfterEach
  void stop() throws Exception {
    member.close();
  }

  private static void get(Channel channel, String key) {
    AgentTest.kv(channel).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build());
  }

  private static Channel with(Channel channel, String token) {
    return ClientInterceptors.intercept(channel, PermissionWorld.token(token));
  }

  private static int uid() throws IOException {
    return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  @Test
  void the_user_is_the_agents_whatever_token_a_caller_brings() throws Exception {
    Map<String, String> tokens = new PermissionWorld(member.channel, "secret").build();
    try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--user=keeper:keeper")) {
      get(agent.channel, "a");
      for (String token : new String[] {null, tokens.get("root"), "nonsense"}) {
        Channel channel = token == null ? agent.channel : with(agent.channel, token);
        get(channel, "b");
        assertThatThrownBy(() -> get(channel, "secret-key")).hasMessage(NOT_MINE);
        assertThatThrownBy(() -> AuthGrpc.newBlockingStub(channel).userDelete(AuthUserDeleteRequest.newBuilder().setName("reader").build())).hasMessage(NOT_MINE);
      }
      assertThatThrownBy(() -> AuthGrpc.newBlockingStub(agent.channel).authenticate(login("root", "root")))
          .hasMessage("FAILED_PRECONDITION: etcdserver: authentication is not enabled");
    }
  }

  private static AuthenticateRequest login(String name, String password) {
    return AuthenticateRequest.newBuilder().setName(name).setPassword(password).build();
  }

  @Test
  void a_changed_password_is_read_again_and_a_user_who_is_gone_is_refused() throws Exception {
    Map<String, String> tokens = new PermissionWorld(member.channel, "secret").build();
    AuthGrpc.AuthBlockingStub admin = AuthGrpc.newBlockingStub(with(member.channel, tokens.get("root")));
    Path password = Files.writeString(temp.resolve("password"), "keeper\n");
    try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--user=keeper", "--password-file=" + password)) {
      get(agent.channel, "a");
      // Takes the user's tokens away as well.
      admin.userChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("keeper").setPassword("other").build());
      Files.writeString(password, "other");
      get(agent.channel, "a");
      admin.userChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("keeper").setPassword("third").build());
      Files.writeString(password, "third");
      try (PermissionWorld.Stream watch = new PermissionWorld.Stream(agent.channel, null)) {
        watch.watch("a");
        WatchResponse created = watch.next();
        assertThat(created.getCreated() && !created.getCanceled()).as(created.toString()).isTrue();
      }
      admin.userDelete(AuthUserDeleteRequest.newBuilder().setName("keeper").build());
      String gone = "INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password";
      assertThatThrownBy(() -> get(agent.channel, "a")).hasMessage(gone);
      assertThatThrownBy(() -> AgentTest.kv(agent.channel).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).setSerializable(true).build()))
          .hasMessage(gone);
    }
  }

  @Test
  void tokens_let_in_until_they_are_taken_away() throws Exception {
    Path file = Files.writeString(temp.resolve("tokens"), "first-token\n");
    try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--local-token-file=" + file)) {
      assertThatThrownBy(() -> get(agent.channel, "a")).hasMessage(NO_TOKEN);
      assertThatThrownBy(() -> get(with(agent.channel, "other"), "a")).hasMessage(BAD_TOKEN);
      AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(agent.channel);
      assertThatThrownBy(() -> auth.authenticate(login("any", "other")))
          .hasMessage("INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password");
      AuthenticateResponse granted = auth.authenticate(login("any", "first-token"));
      get(with(agent.channel, granted.getToken()), "a");
      assertThat(http(agent, "/metrics", null)).isEqualTo(401);
      assertThat(http(agent, "/metrics", "Bearer first-token")).isEqualTo(200);
      assertThat(http(agent, "/v3/kv/range", null)).isEqualTo(400);
      assertThat(http(agent, "/v3/kv/range", "other")).isEqualTo(401);
      assertThat(http(agent, "/v3/kv/range", "first-token")).isEqualTo(200);

      try (PermissionWorld.Stream watch = new PermissionWorld.Stream(agent.channel, "first-token")) {
        watch.watch("a");
        assertThat(watch.next().getCreated()).isTrue();
        Files.writeString(file, "second-token\n");
        assertThat(watch.next().getCancelReason()).isEqualTo(BAD_TOKEN);
      }
      assertThatThrownBy(() -> get(with(agent.channel, "first-token"), "a")).hasMessage(BAD_TOKEN);
      get(with(agent.channel, "second-token"), "a");
    }
  }

  private static int http(TestAgent agent, String path, String authorization) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent.port + path));
    if (path.startsWith("/v3")) {
      request.POST(HttpRequest.BodyPublishers.ofString("{\"key\":\"YQ==\"}"));
    }
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  @Test
  void only_processes_of_the_named_users_come_in() throws Exception {
    try (TestAgent mine = new TestAgent("--endpoints=" + member.url, "--allowed-uids=" + uid());
        TestAgent anothers = new TestAgent("--endpoints=" + member.url, "--allowed-uids=" + (uid() + 1))) {
      get(mine.channel, "a");
      assertThat(http(mine, "/v3/kv/range", null)).isEqualTo(200);
      ThrowingCallable refused = () -> get(anothers.channel, "a");
      assertThatThrownBy(refused).hasMessage(NOT_MINE);
      assertThat(http(anothers, "/v3/kv/range", null)).isEqualTo(403);
      assertThat(http(anothers, "/metrics", null)).isEqualTo(403);
    }
  }

  @Test
  void a_unix_socket_knows_its_callers() throws Exception {
    for (boolean allowed : new boolean[] {true, false}) {
      Path socket = temp.resolve("agent" + allowed + ".sock");
      int admitted = allowed ? uid() : uid() + 1;
      try (TestAgent agent = new TestAgent("--endpoints=" + member.url, "--listen-client-urls=unix://" + socket, "--allowed-uids=" + admitted);
          EventLoops loops = EventLoops.single("test")) {
        assertThat(agent.port).isZero();
        ManagedChannel channel =
            NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
                .eventLoopGroup(loops.group())
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
        if (allowed) {
          get(channel, "a");
        } else {
          assertThatThrownBy(() -> get(channel, "a")).hasMessage(NOT_MINE);
        }
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
      }
    }
  }
}
