package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MemberAddRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.Certificate;
import io.kvorum.protocol.v1.DescribeRequest;
import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.protocol.v1.OptionChange;
import io.kvorum.protocol.v1.ReloadRequest;
import io.kvorum.protocol.v1.ReloadResponse;
import io.kvorum.server.base.FeatureLevel;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.tls.Authority;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What those who run a member ask of it: one member with mutual TLS and a configuration file. */
class AdminTest {
  private static final long DEADLINE_SECONDS = 30;

  @TempDir Path temp;

  private final Authority authority = new Authority("root-ca");
  private final Authority.Issued own = authority.issue("member", "localhost", "127.0.0.1");
  private final TreeMap<String, String> options = new TreeMap<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private int port;
  private Server server;

  @BeforeEach
  void start() throws Exception {
    port = FreePorts.one();
    int peerPort = FreePorts.one();
    own.write(file("cert"), file("key"));
    Authority.write(file("ca"), Authority.pem(authority.certificate));
    String client = "https://127.0.0.1:" + port;
    String peer = "https://127.0.0.1:" + peerPort;
    options.putAll(
        Map.of(
            "name", "m0", "data-dir", file("data").toString(), "listen-client-urls", client, "advertise-client-urls", client, "listen-peer-urls", peer,
            "initial-advertise-peer-urls", peer, "initial-cluster", "m0=" + peer, "quota-backend-bytes", "1073741824"));
    for (String side : List.of("", "peer-")) {
      options.putAll(
          Map.of(
              side + "cert-file", file("cert").toString(), side + "key-file", file("key").toString(), side + "trusted-ca-file", file("ca").toString(),
              side + "client-cert-auth", "true"));
    }
    writeConfig();
    Supplier<Parsed> source = () -> new ConfigParser(FlagTable.etcd36(), Files::readString).parse(List.of("--config-file=" + file("conf")), Map.of());
    assertThat(source.get()).isInstanceOf(Parsed.Serve.class);
    server = Server.start(new CurrentConfig(((Parsed.Serve) source.get()).config(), source));
    kv("root").range(range("ready"));
    awaitLeaderDuties();
  }

  /** The leader decides the version, and the feature level when the members are published, by entries of its own; until both are applied, the indexes still move. */
  private void awaitLeaderDuties() throws Exception {
    AdminGrpc.AdminBlockingStub admin = admin("root");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    DescribeResponse now = admin.describe(DescribeRequest.getDefaultInstance());
    while (now.getClusterVersion().isEmpty() || now.getFeatureLevel() != FeatureLevel.SUPPORTED) {
      assertThat(System.nanoTime()).as("version and feature level are decided in time").isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(5);
      now = admin.describe(DescribeRequest.getDefaultInstance());
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    if (server != null) {
      server.close();
    }
  }

  private Path file(String name) {
    return temp.resolve(name);
  }

  private void writeConfig() throws Exception {
    StringBuilder yaml = new StringBuilder();
    StringBuilder client = new StringBuilder("client-transport-security:\n");
    StringBuilder peer = new StringBuilder("peer-transport-security:\n");
    options.forEach(
        (name, value) -> {
          boolean ofPeer = name.startsWith("peer-");
          String key = ofPeer ? name.substring("peer-".length()) : name;
          boolean security = List.of("cert-file", "key-file", "trusted-ca-file", "client-cert-auth").contains(key);
          (ofPeer ? peer : security ? client : yaml).append(security ? "  " : "").append(key).append(": ").append(value).append('\n');
        });
    Files.writeString(file("conf"), yaml.append(client).append(peer));
  }

  /** As the interface defines it. */
  private String hash() throws Exception {
    StringBuilder lines = new StringBuilder();
    options.forEach((name, value) -> lines.append(name).append('=').append(value).append('\n'));
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(lines.toString().getBytes(StandardCharsets.UTF_8)));
  }

  private ManagedChannel channel(String commonName) throws Exception {
    Authority.Issued caller = authority.issue(commonName);
    SslContextBuilder tls = SslContextBuilder.forClient().trustManager(authority.certificate).keyManager(caller.key(), caller.certificate());
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port).sslContext(GrpcSslContexts.configure(tls, SslProvider.JDK).build()).build();
    channels.add(channel);
    return channel;
  }

  private AdminGrpc.AdminBlockingStub admin(String commonName) throws Exception {
    return AdminGrpc.newBlockingStub(channel(commonName)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private KVGrpc.KVBlockingStub kv(String commonName) throws Exception {
    return KVGrpc.newBlockingStub(channel(commonName)).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private static RangeRequest range(String key) {
    return RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build();
  }

  private static PutRequest put(String key) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8("v")).build();
  }

  private static String print(java.security.cert.X509Certificate certificate) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
  }

  private static List<String> prints(List<Certificate> certificates, Certificate.Role role) {
    return certificates.stream().filter(certificate -> certificate.getRole() == role).map(Certificate::getSha256).toList();
  }

  private static Status refused(Runnable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus();
  }

  private String metrics() throws Exception {
    Authority.Issued caller = authority.issue("root");
    var trust = java.security.KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    trust.setCertificateEntry("ca", authority.certificate);
    trust.setKeyEntry("own", caller.key(), new char[0], new java.security.cert.Certificate[] {caller.certificate()});
    var keys = javax.net.ssl.KeyManagerFactory.getInstance("PKIX");
    keys.init(trust, new char[0]);
    var trusted = javax.net.ssl.TrustManagerFactory.getInstance("PKIX");
    trusted.init(trust);
    var context = javax.net.ssl.SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
    var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create("https://127.0.0.1:" + port + "/metrics")).build();
    try (var client = java.net.http.HttpClient.newBuilder().sslContext(context).build()) {
      return client.send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  @Test
  void a_member_describes_itself() throws Exception {
    kv("root").put(put("k"));
    DescribeResponse answer = admin("root").describe(DescribeRequest.getDefaultInstance());
    var status = MaintenanceGrpc.newBlockingStub(channel("root")).status(StatusRequest.getDefaultInstance());
    assertThat(answer.getHeader()).isEqualTo(status.getHeader());
    assertThat(answer.getHeader().getRevision()).isEqualTo(2);
    assertThat(answer.getName()).isEqualTo("m0");
    assertThat(answer.getVersion()).isEqualTo(io.kvorum.server.base.Version.kvorum());
    assertThat(answer.getEtcdVersion()).isEqualTo(status.getVersion());
    assertThat(answer.getClusterVersion()).isEqualTo("3.6.0");
    assertThat(answer.getFeatureLevelSupported()).isEqualTo(FeatureLevel.SUPPORTED).isGreaterThanOrEqualTo(FeatureLevel.PUT_WITH_LEASE);
    assertThat(answer.getFeatureLevel()).isEqualTo(FeatureLevel.SUPPORTED);
    assertThat(answer.getConfigHash()).isEqualTo(hash());
    assertThat(answer.getRestartPendingList()).isEmpty();
    assertThat(answer.getIsLearner()).isFalse();
    assertThat(answer.getLeader()).isEqualTo(answer.getHeader().getMemberId());
    assertThat(answer.getLastTerm()).isEqualTo(status.getRaftTerm());
    assertThat(answer.getLastIndex()).isEqualTo(answer.getCommittedIndex()).isEqualTo(answer.getAppliedIndex()).isEqualTo(status.getRaftAppliedIndex());
    assertThat(answer.getCompactRevision()).isZero();
    assertThat(answer.getAlarmsList()).isEmpty();
    assertThat(answer.getSizes().getHistory()).isEqualTo(status.getDbSize());
    assertThat(answer.getSizes().getQuota()).isEqualTo(1L << 30);
    assertThat(answer.getSizes().getLogFiles()).isGreaterThanOrEqualTo(256 << 10);
    assertThat(answer.getSizes().getHistoryFiles()).isPositive();
    assertThat(answer.getSizes().getDiskFree()).isPositive().isLessThanOrEqualTo(answer.getSizes().getDiskTotal());
    assertThat(answer.getStartedMillis()).isPositive().isLessThan(System.currentTimeMillis());
    assertThat(answer.getClockMillis()).isGreaterThan(answer.getStartedMillis()).isLessThanOrEqualTo(System.currentTimeMillis());
    assertThat(answer.getCertificatesList()).extracting(Certificate::getRole).containsExactly(
        Certificate.Role.CLIENT, Certificate.Role.CLIENT_CA, Certificate.Role.PEER, Certificate.Role.PEER_CA);
    Certificate shown = answer.getCertificates(0);
    assertThat(shown.getSubject()).isEqualTo("CN=member");
    assertThat(shown.getIssuer()).isEqualTo("CN=root-ca");
    assertThat(shown.getSha256()).isEqualTo(print(own.certificate()));
    assertThat(shown.getNotAfter()).isEqualTo(own.certificate().getNotAfter().getTime() / 1000);
    assertThat(shown.getNotBefore()).isEqualTo(own.certificate().getNotBefore().getTime() / 1000);
    assertThat(metrics())
        .contains(
            "kvorum_certificate_expiry_timestamp_seconds{role=\"client\",position=\"0\",subject=\"CN=member\",sha256=\"" + shown.getSha256() + "\"} "
                + shown.getNotAfter() + "\n")
        .contains("kvorum_certificate_expiry_timestamp_seconds{role=\"peer_ca\",");
  }

  @Test
  void options_are_taken_anew_and_those_that_cannot_be_are_named() throws Exception {
    String before = hash();
    options.put("quota-backend-bytes", "100");
    options.put("max-txn-ops", "5");
    options.put("log-level", "warn");
    String reloadable = hash();
    options.put("snapshot-count", "20000");
    options.remove("name");
    writeConfig();
    ReloadResponse answer = admin("root").reload(ReloadRequest.getDefaultInstance());
    assertThat(answer.getChangedList())
        .containsExactly(change("log-level", "", "warn"), change("max-txn-ops", "", "5"), change("quota-backend-bytes", "1073741824", "100"));
    assertThat(answer.getRestartNeededList()).containsExactly(change("name", "m0", ""), change("snapshot-count", "", "20000"));
    assertThat(answer.getConfigHash()).isEqualTo(reloadable).isNotEqualTo(before);
    assertThat(answer.getTlsChanged()).isFalse();
    assertThat(answer.getCertificatesCount()).isEqualTo(4);
    DescribeResponse now = admin("root").describe(DescribeRequest.getDefaultInstance());
    assertThat(now.getConfigHash()).isEqualTo(reloadable);
    assertThat(now.getRestartPendingList()).containsExactly("name", "snapshot-count");
    assertThat(now.getName()).isEqualTo("m0");
    assertThat(now.getSizes().getQuota()).isEqualTo(100);
    KVGrpc.KVBlockingStub kv = kv("root");
    assertThat(refused(() -> kv.put(put("k"))).getDescription()).isEqualTo("etcdserver: mvcc: database space exceeded");
    assertThat(java.util.logging.Logger.getLogger("").getLevel()).isEqualTo(java.util.logging.Level.WARNING);

    options.put("name", "m0");
    options.remove("snapshot-count");
    options.remove("log-level");
    writeConfig();
    assertThat(admin("root").reload(ReloadRequest.getDefaultInstance()).getRestartNeededList()).isEmpty();
    assertThat(admin("root").describe(DescribeRequest.getDefaultInstance()).getRestartPendingList()).isEmpty();
    assertThat(java.util.logging.Logger.getLogger("").getLevel()).isEqualTo(java.util.logging.Level.INFO);
  }

  private static OptionChange change(String name, String before, String after) {
    return OptionChange.newBuilder().setName(name).setBefore(before).setAfter(after).build();
  }

  @Test
  void a_file_that_cannot_be_used_changes_nothing() throws Exception {
    String hash = hash();
    AdminGrpc.AdminBlockingStub admin = admin("root");
    Map<String, String> wrong =
        Map.of(
            "auto-compaction-mode: hourly", "unknown auto-compaction-mode \"hourly\"",
            "log-level: loud", "unrecognized level: \"loud\"",
            "max-txn-ops: many", "invalid value \"many\" for max-txn-ops: parse error",
            "quota-backend-bytes: 5\n- x", "error converting YAML to JSON: yaml: ");
    for (Map.Entry<String, String> one : wrong.entrySet()) {
      options.put("quota-backend-bytes", "5000");
      writeConfig();
      Files.writeString(file("conf"), Files.readString(file("conf")) + one.getKey() + "\n");
      Status status = refused(() -> admin.reload(ReloadRequest.getDefaultInstance()));
      assertThat(status.getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(status.getDescription()).startsWith(one.getValue());
    }
    Files.delete(file("conf"));
    assertThat(refused(() -> admin.reload(ReloadRequest.getDefaultInstance())).getDescription()).isEqualTo("open " + file("conf") + ": no such file or directory");

    writeConfig();
    authority.issue("other").write(file("unused"), file("key"));
    assertThat(refused(() -> admin.reload(ReloadRequest.getDefaultInstance())).getDescription()).isEqualTo(file("key") + ": tls: private key does not match public key");
    DescribeResponse now = admin.describe(DescribeRequest.getDefaultInstance());
    assertThat(now.getConfigHash()).isEqualTo(hash);
    assertThat(now.getSizes().getQuota()).isEqualTo(1L << 30);
    assertThat(prints(now.getCertificatesList(), Certificate.Role.PEER)).containsExactly(print(own.certificate()));
  }

  @Test
  void authorities_are_exchanged_in_phases_that_can_be_seen() throws Exception {
    AdminGrpc.AdminBlockingStub admin = admin("root");
    Authority next = new Authority("next-ca");
    Authority.write(file("ca"), Authority.pem(authority.certificate) + Authority.pem(next.certificate));
    ReloadResponse both = admin.reload(ReloadRequest.getDefaultInstance());
    assertThat(both.getTlsChanged()).isTrue();
    assertThat(both.getChangedList()).isEmpty();
    assertThat(both.getConfigHash()).isEqualTo(hash());
    for (Certificate.Role role : List.of(Certificate.Role.CLIENT_CA, Certificate.Role.PEER_CA)) {
      assertThat(prints(both.getCertificatesList(), role)).containsExactly(print(authority.certificate), print(next.certificate));
    }
    Authority.Issued leaf = next.issue("member", "localhost", "127.0.0.1");
    leaf.write(file("cert"), file("key"));
    ReloadResponse reissued = admin.reload(ReloadRequest.getDefaultInstance());
    assertThat(prints(reissued.getCertificatesList(), Certificate.Role.CLIENT)).containsExactly(print(leaf.certificate()));
    assertThat(prints(reissued.getCertificatesList(), Certificate.Role.PEER)).containsExactly(print(leaf.certificate()));
    Authority.write(file("ca"), Authority.pem(next.certificate));
    ReloadResponse done = admin.reload(ReloadRequest.getDefaultInstance());
    assertThat(prints(done.getCertificatesList(), Certificate.Role.CLIENT_CA)).containsExactly(print(next.certificate));
    assertThat(admin.reload(ReloadRequest.getDefaultInstance()).getTlsChanged()).isFalse();
  }

  @Test
  void only_root_may_ask_once_users_are_enabled() throws Exception {
    AuthGrpc.AuthBlockingStub auth = AuthGrpc.newBlockingStub(channel("root")).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    for (String name : List.of("root", "alice")) {
      auth.userAdd(AuthUserAddRequest.newBuilder().setName(name).setPassword("secret").build());
      auth.roleAdd(AuthRoleAddRequest.newBuilder().setName(name).build());
      auth.userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser(name).setRole(name).build());
    }
    AdminGrpc.AdminBlockingStub alice = admin("alice");
    assertThat(alice.describe(DescribeRequest.getDefaultInstance()).getName()).isEqualTo("m0");
    auth.authEnable(AuthEnableRequest.getDefaultInstance());
    for (String caller : List.of("alice", "nobody")) {
      AdminGrpc.AdminBlockingStub admin = admin(caller);
      for (Runnable call : List.<Runnable>of(() -> admin.describe(DescribeRequest.getDefaultInstance()), () -> admin.reload(ReloadRequest.getDefaultInstance()))) {
        Status status = refused(call);
        assertThat(status.getDescription()).isEqualTo(caller.equals("alice") ? "etcdserver: permission denied" : "etcdserver: user name not found");
      }
    }
    ClusterGrpc.ClusterBlockingStub members = ClusterGrpc.newBlockingStub(channel("alice"));
    assertThat(refused(() -> members.memberAdd(MemberAddRequest.newBuilder().addPeerURLs("none").build())).getDescription())
        .as("permission comes before the URLs")
        .isEqualTo("etcdserver: permission denied");
    assertThat(admin("root").describe(DescribeRequest.getDefaultInstance()).getName()).isEqualTo("m0");
    assertThat(admin("root").reload(ReloadRequest.getDefaultInstance()).getConfigHash()).isEqualTo(hash());
  }
}
