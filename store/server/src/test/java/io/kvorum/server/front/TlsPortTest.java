package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.logging.LogCapture;
import io.kvorum.server.tls.Authority;
import io.kvorum.server.tls.IncomingTls;
import io.kvorum.server.tls.SubjectNames;
import io.kvorum.server.tls.TlsException;
import io.kvorum.server.tls.TlsFiles;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over real sockets, with certificates made for the test. */
class TlsPortTest {
  private static final GrpcPort.Bounds BOUNDS = new GrpcPort.Bounds(1 << 20, 1 << 20, 1_000, 5_000, false, 0, 0, false);
  private static final String GET = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

  @TempDir Path temp;

  private final EventLoops loops = EventLoops.single("test");
  private final Authority authority = new Authority("root");
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<AutoCloseable> ports = new ArrayList<>();
  private final AtomicReference<SSLSession> seen = new AtomicReference<>();

  @BeforeEach
  void files() {
    authority.issue("server", "localhost", "127.0.0.1").write(file("cert"), file("key"));
    Authority.write(file("ca"), Authority.pem(authority.certificate));
  }

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    for (AutoCloseable port : ports) {
      port.close();
    }
    loops.close();
  }

  private Path file(String name) {
    return temp.resolve(name);
  }

  private TlsSettings settings(boolean callersShowCertificates, String crl, List<String> names, List<String> hosts, boolean skipSan, String min, String max) {
    return new TlsSettings(
        file("cert").toString(), file("key").toString(), "", "", callersShowCertificates ? file("ca").toString() : "", crl, callersShowCertificates, names, hosts,
        skipSan, false, 1, List.of(), min, max);
  }

  private TlsSettings serverOnly() {
    return settings(false, "", List.of(), List.of(), true, "TLS1.2", "");
  }

  private TlsSettings mutual() {
    return settings(true, "", List.of(), List.of(), true, "TLS1.2", "");
  }

  private GrpcPort open(TlsSettings settings, boolean plainToo) throws IOException, TlsException {
    var service =
        new KVGrpc.KVImplBase() {
          @Override
          public void range(RangeRequest request, StreamObserver<RangeResponse> answer) {
            answer.onNext(RangeResponse.newBuilder().setCount(1).build());
            answer.onCompleted();
          }
        };
    ServerInterceptor look =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            seen.set(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
            return Contexts.interceptCall(Context.current(), call, headers, next);
          }
        };
    IncomingTls tls = new IncomingTls(IncomingTls.Side.CLIENT, settings, TlsFiles.open(settings));
    GrpcPort port =
        GrpcPort.open(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), loops, List.of(service.bindService()), List.of(look), routes(), new PortTls(tls, plainToo), BOUNDS);
    ports.add(port);
    return port;
  }

  private static HttpHandler routes() {
    return new HttpRoutes().get("/hello", request -> HttpResponse.ok(HttpResponse.PLAIN, request.secure() ? "secure hello" : "hello"));
  }

  private KVGrpc.KVBlockingStub client(GrpcPort port, Authority trusted, Authority.Issued own) throws IOException {
    SslContextBuilder builder = GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK).trustManager(trusted.certificate);
    if (own != null) {
      builder.keyManager(own.key(), own.certificate());
    }
    ManagedChannel channel = NettyChannelBuilder.forAddress(port.address()).overrideAuthority("localhost").sslContext(builder.build()).build();
    channels.add(channel);
    return KVGrpc.newBlockingStub(channel);
  }

  private static long range(KVGrpc.KVBlockingStub stub) {
    return stub.withDeadlineAfter(20, TimeUnit.SECONDS).range(RangeRequest.getDefaultInstance()).getCount();
  }

  private static void refused(KVGrpc.KVBlockingStub stub) {
    assertThatThrownBy(() -> range(stub))
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  private SSLSocket socket(InetSocketAddress address, Authority.Issued own, String... alpn) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("ca", authority.certificate);
    if (own != null) {
      store.setKeyEntry("own", own.key(), new char[0], new X509Certificate[] {own.certificate()});
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(address.getAddress(), address.getPort());
    socket.setSoTimeout(20_000);
    var parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(alpn);
    socket.setSSLParameters(parameters);
    return socket;
  }

  private static String exchange(Socket socket) throws IOException {
    try (socket) {
      socket.getOutputStream().write(GET.getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void one_port_speaks_grpc_and_http_by_alpn() throws Exception {
    GrpcPort port = open(serverOnly(), false);
    assertThat(range(client(port, authority, null))).isEqualTo(1);
    assertThat(seen.get().getProtocol()).isEqualTo("TLSv1.3");
    SSLSocket http = socket(port.address(), null, "http/1.1");
    http.startHandshake();
    assertThat(http.getApplicationProtocol()).isEqualTo("http/1.1");
    assertThat(exchange(http)).startsWith("HTTP/1.1 200 OK").endsWith("secure hello");
    SSLSocket both = socket(port.address(), null, "h2", "http/1.1");
    both.startHandshake();
    assertThat(both.getApplicationProtocol()).as("whoever could do either is no gRPC client").isEqualTo("http/1.1");
    both.close();
    SSLSocket grpc = socket(port.address(), null, "h2");
    grpc.startHandshake();
    assertThat(grpc.getApplicationProtocol()).isEqualTo("h2");
    grpc.close();
    assertThat(exchange(socket(port.address(), null))).as("without ALPN").endsWith("secure hello");
  }

  @Test
  void http_alone_with_tls() throws Exception {
    IncomingTls tls = new IncomingTls(IncomingTls.Side.CLIENT, mutual(), TlsFiles.open(mutual()));
    HttpPort port = HttpPort.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), loops, routes(), PortTls.only(tls), 1_000);
    ports.add(port);
    assertThat(exchange(socket(port.address(), authority.issue("me"), "h2", "http/1.1"))).endsWith("secure hello");
    assertThatThrownBy(() -> exchange(socket(port.address(), null))).isInstanceOf(IOException.class);
  }

  @Test
  void callers_must_show_a_certificate_of_the_right_authority() throws Exception {
    GrpcPort port = open(mutual(), false);
    assertThat(range(client(port, authority, authority.issue("alice")))).isEqualTo(1);
    assertThat(SubjectNames.of((X509Certificate) seen.get().getPeerCertificates()[0]).commonName()).isEqualTo("alice");
    refused(client(port, authority, null));
    refused(client(port, authority, new Authority("elsewhere").issue("mallory")));
    refused(client(port, new Authority("elsewhere"), authority.issue("alice")));
  }

  @Test
  void plain_text_is_refused_on_a_port_with_tls_and_taken_where_both_are_served() throws Exception {
    GrpcPort strict = open(serverOnly(), false);
    assertThat(exchange(new Socket(strict.address().getAddress(), strict.address().getPort()))).doesNotContain("hello");
    GrpcPort mixed = open(serverOnly(), true);
    assertThat(exchange(new Socket(mixed.address().getAddress(), mixed.address().getPort()))).endsWith("\r\n\r\nhello");
    assertThat(exchange(socket(mixed.address(), null, "http/1.1"))).endsWith("secure hello");
    assertThat(range(client(mixed, authority, null))).isEqualTo(1);
    assertThat(range(client(strict, authority, null))).isEqualTo(1);
  }

  @Test
  void every_refusal_is_a_line_in_etcds_words() throws Exception {
    GrpcPort port = open(mutual(), false);
    Authority.write(file("crl"), authority.revoke());
    GrpcPort checked = open(settings(true, file("crl").toString(), List.of(), List.of(), false, "TLS1.2", ""), false);
    try (LogCapture log = new LogCapture(IncomingTls.class)) {
      assertThat(exchange(new Socket(port.address().getAddress(), port.address().getPort()))).doesNotContain("hello");
      assertThat(log.await(1)).hasSize(1);
      assertThat(log.await(1).getFirst())
          .matches("WARNING rejected connection on client endpoint remote-addr=127\\.0\\.0\\.1:\\d+ error=tls: first record does not look like a TLS handshake")
          .doesNotContain("GET");
      assertThatThrownBy(() -> exchange(socket(port.address(), null))).isInstanceOf(IOException.class);
      assertThat(log.await(2).getLast()).matches("WARNING rejected connection on client endpoint remote-addr=127\\.0\\.0\\.1:\\d+ error=tls: .*[Ee]mpty.*certificate.*");
      try {
        assertThat(exchange(socket(checked.address(), authority.issue("x", "10.9.8.7", "h.example")))).doesNotContain("hello");
      } catch (IOException closed) {
        // Before or after the request was written.
      }
      assertThat(log.await(3)).hasSize(3);
      assertThat(log.await(3).getLast())
          .matches("WARNING rejected connection on client endpoint remote-addr=127\\.0\\.0\\.1:\\d+ ip-addresses=\\[10\\.9\\.8\\.7] dns-names=\\[h\\.example] error=tls: \"127\\.0\\.0\\.1\" does not match any of DNSNames \\[h\\.example]");
    }
    try (LogCapture log = new LogCapture(IncomingTls.class)) {
      new IncomingTls(IncomingTls.Side.PEER, serverOnly(), TlsFiles.open(serverOnly())).rejected(new InetSocketAddress("127.0.0.1", 9), null, "why");
      assertThat(log.await(1)).containsExactly("WARNING rejected connection on peer endpoint remote-addr=127.0.0.1:9 error=why");
    }
  }

  @Test
  void certificate_key_and_authority_are_exchanged_under_an_open_connection() throws Exception {
    GrpcPort port = open(mutual(), false);
    KVGrpc.KVBlockingStub old = client(port, authority, authority.issue("old"));
    assertThat(range(old)).isEqualTo(1);

    Authority next = new Authority("next");
    next.issue("server", "localhost").write(file("cert"), file("key"));
    Authority.write(file("ca"), Authority.pem(next.certificate));

    assertThat(range(client(port, next, next.issue("new")))).isEqualTo(1);
    refused(client(port, next, authority.issue("old")));
    refused(client(port, authority, next.issue("new")));
    assertThat(range(old)).as("the connection that was open").isEqualTo(1);
    assertThat(SubjectNames.of((X509Certificate) seen.get().getPeerCertificates()[0]).commonName()).isEqualTo("old");
  }

  @Test
  void revoked_certificates_are_refused_as_soon_as_the_list_says_so() throws Exception {
    Authority.Issued good = authority.issue("good");
    Authority.Issued bad = authority.issue("bad");
    Authority.write(file("crl"), authority.revoke());
    GrpcPort port = open(settings(true, file("crl").toString(), List.of(), List.of(), true, "TLS1.2", ""), false);
    assertThat(range(client(port, authority, bad))).isEqualTo(1);
    Authority.write(file("crl"), authority.revoke(bad.certificate()));
    refused(client(port, authority, bad));
    assertThat(range(client(port, authority, good))).isEqualTo(1);
  }

  @Test
  void allowed_names_and_addresses() throws Exception {
    GrpcPort named = open(settings(true, "", List.of("one", "two"), List.of(), true, "TLS1.2", ""), false);
    assertThat(range(client(named, authority, authority.issue("two")))).isEqualTo(1);
    refused(client(named, authority, authority.issue("three")));
    GrpcPort hosted = open(settings(true, "", List.of(), List.of("a.example"), true, "TLS1.2", ""), false);
    assertThat(range(client(hosted, authority, authority.issue("x", "*.example")))).isEqualTo(1);
    refused(client(hosted, authority, authority.issue("x", "b.example")));
    GrpcPort fromHere = open(settings(true, "", List.of(), List.of(), false, "TLS1.2", ""), false);
    assertThat(range(client(fromHere, authority, authority.issue("x", "localhost")))).as("after a lookup").isEqualTo(1);
    assertThat(range(client(fromHere, authority, authority.issue("x", "127.0.0.1")))).isEqualTo(1);
    refused(client(fromHere, authority, authority.issue("x", "10.9.8.7")));
  }

  @Test
  void versions_are_bounded() throws Exception {
    GrpcPort newest = open(settings(false, "", List.of(), List.of(), true, "TLS1.3", ""), false);
    GrpcPort older = open(settings(false, "", List.of(), List.of(), true, "TLS1.2", "TLS1.2"), false);
    assertThat(range(client(older, authority, null))).isEqualTo(1);
    assertThat(seen.get().getProtocol()).isEqualTo("TLSv1.2");
    SSLSocket socket = socket(newest.address(), null);
    socket.setEnabledProtocols(new String[] {"TLSv1.2"});
    assertThatThrownBy(() -> exchange(socket)).isInstanceOf(IOException.class);
  }
}
