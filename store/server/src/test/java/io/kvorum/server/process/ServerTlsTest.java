package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.authpb.UserAddOptions;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v3lockpb.LockRequest;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.tls.Authority;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole members in this process that speak TLS to clients and to each other. */
class ServerTlsTest {
  private static final long DEADLINE_SECONDS = 30;

  @TempDir Path temp;

  private final Authority authority = new Authority("root");
  private final List<Integer> ports = FreePorts.some(7);
  private final List<Server> running = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();

  @BeforeEach
  void writeFiles() throws IOException {
    authority.issue("member", "localhost", "127.0.0.1").write(file("cert"), file("key"));
    Authority.write(file("ca"), Authority.pem(authority.certificate));
  }

  @AfterEach
  void stopAll() throws InterruptedException {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    running.forEach(Server::close);
  }

  private Path file(String name) {
    return temp.resolve(name);
  }

  private String clientUrl(int member) {
    return "https://127.0.0.1:" + ports.get(member);
  }

  private String peerUrl(int member) {
    return "https://127.0.0.1:" + ports.get(3 + member);
  }

  private ServerConfig config(int member, int members, String... more) {
    List<String> cluster = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      cluster.add("m" + i + "=" + peerUrl(i));
    }
    return MemberFlags.config("m" + member, temp.resolve("m" + member), clientUrl(member), peerUrl(member), String.join(",", cluster), more);
  }

  private Server start(int member, int members, String... more) throws Exception {
    Server server = Server.start(config(member, members, more));
    running.add(server);
    return server;
  }

  private String[] mutual(String cert, String key) {
    return new String[] {
      "--cert-file=" + file(cert), "--key-file=" + file(key), "--trusted-ca-file=" + file("ca"), "--client-cert-auth",
      "--peer-cert-file=" + file(cert), "--peer-key-file=" + file(key), "--peer-trusted-ca-file=" + file("ca"), "--peer-client-cert-auth",
      "--peer-cert-allowed-cn=member"
    };
  }

  private KVGrpc.KVBlockingStub kv(int member, SslContextBuilder tls) throws IOException {
    return KVGrpc.newBlockingStub(channel(member, tls)).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private ManagedChannel channel(int member, SslContextBuilder tls) throws IOException {
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", ports.get(member)).sslContext(GrpcSslContexts.configure(tls, SslProvider.JDK).build()).build();
    channels.add(channel);
    return channel;
  }

  private SslContextBuilder alice() {
    return caller("alice");
  }

  private SslContextBuilder caller(String commonName) {
    Authority.Issued own = authority.issue(commonName);
    return SslContextBuilder.forClient().trustManager(authority.certificate).keyManager(own.key(), own.certificate());
  }

  private static PutRequest put(String key) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8("v")).build();
  }

  private static long count(KVGrpc.KVBlockingStub kv, String key) {
    return kv.range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build()).getCount();
  }

  @Test
  void three_members_with_mutual_tls_survive_the_exchange_of_everything_and_the_return_of_one() throws Exception {
    for (int i = 0; i < 3; i++) {
      start(i, 3, mutual("cert", "key"));
    }
    kv(0, alice()).put(put("a"));
    assertThat(count(kv(2, alice()), "a")).isEqualTo(1);

    Authority next = new Authority("next");
    Authority.write(file("ca"), Authority.pem(authority.certificate) + Authority.pem(next.certificate));
    next.issue("member", "localhost", "127.0.0.1").write(file("cert"), file("key"));
    Server last = running.removeLast();
    last.close();
    kv(0, alice().trustManager(next.certificate)).put(put("b"));
    start(2, 3, mutual("cert", "key"));
    assertThat(count(kv(2, alice().trustManager(next.certificate)), "b")).isEqualTo(1);
  }

  @Test
  void a_member_with_another_name_or_authority_is_kept_out() throws Exception {
    authority.issue("stranger", "127.0.0.1").write(file("cert2"), file("key2"));
    start(0, 2, mutual("cert", "key"));
    start(1, 2, mutual("cert2", "key2"));
    KVGrpc.KVBlockingStub kv = kv(0, alice());
    assertThatThrownBy(() -> kv.withDeadlineAfter(3, TimeUnit.SECONDS).put(put("a"))).isInstanceOf(StatusRuntimeException.class);
  }

  /** As {@code unixs://}: with TLS, and HTTP beside gRPC by ALPN. */
  @Test
  void clients_come_over_a_unix_socket_with_certificates() throws Exception {
    Path socket = file("client.sock");
    String url = "unixs://" + socket;
    String[] more = Stream.concat(Arrays.stream(mutual("cert", "key")), Stream.of("--listen-client-urls=" + url, "--advertise-client-urls=" + clientUrl(0))).toArray(String[]::new);
    start(0, 1, more);
    try (EventLoops loops = EventLoops.single("unixs")) {
      ManagedChannel channel = unix(loops, socket, alice());
      KVGrpc.KVBlockingStub kv = KVGrpc.newBlockingStub(channel).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
      kv.put(put("over-unix"));
      assertThat(count(kv, "over-unix")).isEqualTo(1);
      ManagedChannel stranger = unix(loops, socket, SslContextBuilder.forClient().trustManager(authority.certificate));
      assertThatThrownBy(() -> KVGrpc.newBlockingStub(stranger).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).put(put("x")))
          .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
      stranger.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private static ManagedChannel unix(EventLoops loops, Path socket, SslContextBuilder tls) throws IOException {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
        .eventLoopGroup(loops.group())
        .channelType(EpollDomainSocketChannel.class)
        .overrideAuthority("localhost")
        .sslContext(GrpcSslContexts.configure(tls, SslProvider.JDK).build())
        .build();
  }

  @Test
  void made_certificates() throws Exception {
    for (int i = 0; i < 3; i++) {
      start(i, 3, "--auto-tls", "--peer-auto-tls");
    }
    kv(0, SslContextBuilder.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE)).put(put("a"));
    assertThat(count(kv(1, SslContextBuilder.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE)), "a")).isEqualTo(1);
    assertThat(Files.list(temp.resolve("m0/fixtures/client")).map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("cert.pem", "key.pem");
    assertThat(temp.resolve("m0/fixtures/peer/key.pem")).exists();
  }

  @Test
  void missing_and_wrong_files_refuse_the_start() {
    Path none = file("none");
    assertThatThrownBy(() -> start(0, 1, "--peer-auto-tls", "--cert-file=" + none, "--key-file=" + file("key")))
        .isInstanceOf(StartException.class)
        .hasMessage("open " + none + ": no such file or directory");
    authority.issue("other").write(file("cert2"), file("key2"));
    assertThatThrownBy(() -> start(0, 1, "--auto-tls", "--peer-cert-file=" + file("cert"), "--peer-key-file=" + file("key2")))
        .isInstanceOf(StartException.class)
        .hasMessage(file("key2") + ": tls: private key does not match public key");
    assertThatThrownBy(() -> start(0, 1, "--auto-tls", "--peer-auto-tls", "--cipher-suites=TLS_NONE"))
        .isInstanceOf(StartException.class)
        .hasMessage("unexpected TLS cipher suite \"TLS_NONE\"");
  }

  @Test
  void the_name_in_a_certificate_is_a_log_in_also_for_locks_and_never_through_the_gateway() throws Exception {
    start(0, 1, mutual("cert", "key"));
    kv(0, alice()).put(put("l/other"));
    AuthGrpc.AuthBlockingStub root = AuthGrpc.newBlockingStub(channel(0, caller("root"))).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    for (String user : List.of("root", "alice")) {
      root.userAdd(AuthUserAddRequest.newBuilder().setName(user).setOptions(UserAddOptions.newBuilder().setNoPassword(true)).build());
    }
    Permission permission = Permission.newBuilder().setPermType(Permission.Type.READWRITE).setKey(utf8("l/")).setRangeEnd(utf8("l0")).build();
    root.roleAdd(AuthRoleAddRequest.newBuilder().setName("locks").build());
    root.roleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName("locks").setPerm(permission).build());
    root.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("alice").setRole("locks").build());
    root.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
    root.authEnable(AuthEnableRequest.getDefaultInstance());

    KVGrpc.KVBlockingStub alice = kv(0, alice());
    alice.put(put("l/a"));
    assertThatThrownBy(() -> alice.put(put("m"))).hasMessageContaining("permission denied");
    LockGrpc.LockBlockingStub locks = LockGrpc.newBlockingStub(channel(0, alice())).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    ByteString key = locks.lock(LockRequest.newBuilder().setName(utf8("l/mine")).build()).getKey();
    assertThat(count(alice, key.toStringUtf8())).isEqualTo(1);
    assertThatThrownBy(() -> locks.lock(LockRequest.newBuilder().setName(utf8("m")).build())).hasMessageContaining("permission denied");
    Metadata forged = new Metadata();
    forged.put(Metadata.Key.of("kvorum-caller-name-bin", Metadata.BINARY_BYTE_MARSHALLER), "root".getBytes());
    assertThatThrownBy(() -> alice.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(forged)).put(put("m"))).hasMessageContaining("permission denied");
    for (String header : List.of("unused", "Grpc-Metadata-kvorum-caller-name-bin")) {
      assertThat(gatewayPut(header)).isEqualTo("400 {\"code\":3,\"message\":\"etcdserver: user name is empty\"}");
    }
  }

  /** With root's certificate. */
  private String gatewayPut(String header) throws Exception {
    Authority.Issued own = authority.issue("root");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setCertificateEntry("ca", authority.certificate);
    keys.setKeyEntry("own", own.key(), new char[0], new Certificate[] {own.certificate()});
    KeyManagerFactory mine = KeyManagerFactory.getInstance("PKIX");
    mine.init(keys, new char[0]);
    TrustManagerFactory theirs = TrustManagerFactory.getInstance("PKIX");
    theirs.init(keys);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(mine.getKeyManagers(), theirs.getTrustManagers(), null);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(clientUrl(0) + "/v3/kv/put")).header(header, "cm9vdA==").POST(HttpRequest.BodyPublishers.ofString("{\"key\":\"bQ==\"}")).build();
    try (HttpClient client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1).build()) {
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      return response.statusCode() + " " + response.body();
    }
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }
}
