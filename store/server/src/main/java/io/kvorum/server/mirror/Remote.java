package io.kvorum.server.mirror;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** One of the two clusters: a connection to one of its members, and to the next one when that fails. Used by one thread. */
final class Remote implements AutoCloseable {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);
  private static final Set<Status.Code> TEMPORARY =
      Set.of(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED, Status.Code.RESOURCE_EXHAUSTED, Status.Code.UNAUTHENTICATED, Status.Code.CANCELLED);
  private static final int MESSAGE_BYTES_MAX = 512 << 20;
  private static final long CALL_SECONDS = 15;
  private static final long PAUSE_MILLIS_MIN = 100;
  private static final long PAUSE_MILLIS_MAX = 5_000;
  private static final long GIVE_UP_NANOS = TimeUnit.MINUTES.toNanos(5);

  private final String name;
  private final Address address;
  private final PrintStream err;
  private int turn;
  private ManagedChannel connection;
  private Channel channel;
  private long failingSince;
  private long pauseMillis = PAUSE_MILLIS_MIN;

  /**
   * Where it is and who asks.
   *
   * @param endpoints host:port, with or without a scheme; https means TLS
   * @param caCertificate whom to trust, null for whom the JVM trusts
   * @param certificate own one, null for none
   * @param key its key
   * @param user null for none
   */
  record Address(List<String> endpoints, Path caCertificate, Path certificate, Path key, String user, String password) {
    boolean secure(String endpoint) {
      return endpoint.startsWith("https://") || caCertificate != null || certificate != null;
    }
  }

  /** @param name for messages */
  Remote(String name, Address address, PrintStream err) {
    this.name = name;
    this.address = address;
    this.err = err;
  }

  private Channel channel() throws IOException {
    if (channel == null) {
      String endpoint = address.endpoints.get(turn % address.endpoints.size());
      String target = endpoint.substring(endpoint.indexOf("://") < 0 ? 0 : endpoint.indexOf("://") + 3);
      connection =
          NettyChannelBuilder.forTarget("dns:///" + target, address.secure(endpoint) ? tls() : InsecureChannelCredentials.create())
              .maxInboundMessageSize(MESSAGE_BYTES_MAX)
              .keepAliveTime(CALL_SECONDS, TimeUnit.SECONDS)
              .build();
      channel = ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(headers()));
    }
    return channel;
  }

  private ChannelCredentials tls() throws IOException {
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    if (address.caCertificate != null) {
      credentials.trustManager(address.caCertificate.toFile());
    }
    if (address.certificate != null) {
      credentials.keyManager(address.certificate.toFile(), address.key.toFile());
    }
    return credentials.build();
  }

  private Metadata headers() {
    Metadata headers = new Metadata();
    headers.put(HAS_LEADER, "true");
    if (address.user != null) {
      AuthenticateRequest login = AuthenticateRequest.newBuilder().setName(address.user).setPassword(address.password).build();
      headers.put(TOKEN, AuthGrpc.newBlockingStub(connection).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).authenticate(login).getToken());
    }
    return headers;
  }

  /** Keys. */
  <T> T kv(Function<KVGrpc.KVBlockingStub, T> call) throws IOException, InterruptedException {
    return answered(on -> call.apply(KVGrpc.newBlockingStub(on).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)));
  }

  /** Leases. */
  <T> T lease(Function<LeaseGrpc.LeaseBlockingStub, T> call) throws IOException, InterruptedException {
    return answered(on -> call.apply(LeaseGrpc.newBlockingStub(on).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)));
  }

  /** Hashes, which may take long. */
  <T> T maintenance(Function<MaintenanceGrpc.MaintenanceBlockingStub, T> call) throws IOException, InterruptedException {
    return answered(on -> call.apply(MaintenanceGrpc.newBlockingStub(on).withDeadlineAfter(1, TimeUnit.HOURS)));
  }

  /** Streams; the caller tells {@link #failed} when one breaks. */
  WatchGrpc.WatchBlockingV2Stub watches() throws IOException, InterruptedException {
    return attempt(WatchGrpc::newBlockingV2Stub);
  }

  LeaseGrpc.LeaseBlockingV2Stub leaseStreams() throws IOException, InterruptedException {
    return attempt(on -> LeaseGrpc.newBlockingV2Stub(on).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS));
  }

  private <T> T answered(Function<Channel, T> call) throws IOException, InterruptedException {
    T answer = attempt(call);
    worked();
    return answer;
  }

  private <T> T attempt(Function<Channel, T> call) throws IOException, InterruptedException {
    while (true) {
      try {
        return call.apply(channel());
      } catch (StatusRuntimeException refused) {
        failed(refused.getStatus());
      }
    }
  }

  /** Something came back. */
  void worked() {
    failingSince = 0;
    pauseMillis = PAUSE_MILLIS_MIN;
  }

  /**
   * Something failed: waits a little and turns to the next member, unless that cannot help or nothing has worked for five minutes.
   *
   * @throws IOException with the reason
   */
  void failed(Status status) throws IOException, InterruptedException {
    long now = System.nanoTime();
    failingSince = failingSince == 0 ? now : failingSince;
    String reason = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
    if (!TEMPORARY.contains(status.getCode()) || now - failingSince > GIVE_UP_NANOS) {
      throw new RefusedException(name + ": " + reason, status);
    }
    err.println("mirror: " + name + ": " + reason + "; trying again");
    disconnect();
    turn++;
    Thread.sleep(pauseMillis);
    pauseMillis = Math.min(PAUSE_MILLIS_MAX, pauseMillis * 2);
  }

  /** A cluster gave an answer that trying again does not change. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Status status;

    RefusedException(String message, Status status) {
      super(message);
      this.status = status;
    }

    /** Whether the answer was this one of etcd's. */
    boolean is(EtcdError error) {
      return error.text().equals(status.getDescription());
    }
  }

  private void disconnect() {
    if (connection != null) {
      connection.shutdownNow();
      connection = null;
      channel = null;
    }
  }

  @Override
  public void close() {
    disconnect();
  }
}
