package io.kvorum.server.backup;

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
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.BackupGrpc;
import io.kvorum.protocol.v1.DescribeRequest;
import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A connection to one member. Used by one thread, and by the one that keeps its handle alive. */
final class Source implements AutoCloseable {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  /** Trying again, or with another member, may help. */
  private static final Set<Status.Code> TEMPORARY =
      Set.of(
          Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED, Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED, Status.Code.NOT_FOUND, Status.Code.ABORTED,
          Status.Code.FAILED_PRECONDITION);

  private static final Set<Status.Code> REFUSED = Set.of(Status.Code.UNAUTHENTICATED, Status.Code.PERMISSION_DENIED, Status.Code.INVALID_ARGUMENT);
  private static final int MESSAGE_BYTES_MAX = 512 << 20;
  private static final long CALL_SECONDS = 10;
  private static final long PING_SECONDS = 15;

  final String endpoint;
  private final ManagedChannel connection;
  private final Channel channel;

  private Source(String endpoint, ManagedChannel connection, Channel channel) {
    this.endpoint = endpoint;
    this.connection = connection;
    this.channel = channel;
  }

  /** The member failed in a way that another one, or a later attempt, may not. */
  static final class LostException extends IOException {
    private static final long serialVersionUID = 1L;

    LostException(String message) {
      super(message);
    }
  }

  /**
   * Connects, and logs in when there is a user.
   *
   * @throws LostException when it cannot be reached
   * @throws BackupException when it refuses
   */
  static Source connect(SourceOptions.Address address, String endpoint) throws IOException {
    String target = endpoint.substring(endpoint.indexOf("://") < 0 ? 0 : endpoint.indexOf("://") + 3);
    ManagedChannel connection =
        NettyChannelBuilder.forTarget("dns:///" + target, address.secure(endpoint) ? tls(address) : InsecureChannelCredentials.create())
            .maxInboundMessageSize(MESSAGE_BYTES_MAX)
            .keepAliveTime(PING_SECONDS, TimeUnit.SECONDS)
            .build();
    try {
      Metadata headers = new Metadata();
      String token = address.token() != null ? address.token() : logIn(address, connection);
      if (token != null) {
        headers.put(TOKEN, token);
      }
      return new Source(endpoint, connection, ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(headers)));
    } catch (StatusRuntimeException refused) {
      connection.shutdownNow();
      throw failure(endpoint, refused);
    }
  }

  private static String logIn(SourceOptions.Address address, Channel channel) {
    if (address.user() == null) {
      return null;
    }
    AuthenticateRequest login = AuthenticateRequest.newBuilder().setName(address.user()).setPassword(address.password()).build();
    try {
      return AuthGrpc.newBlockingStub(channel).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).authenticate(login).getToken();
    } catch (StatusRuntimeException refused) {
      // Without users, everybody is root: a user who is named too early does no harm.
      if ("etcdserver: authentication is not enabled".equals(refused.getStatus().getDescription())) {
        return null;
      }
      throw refused;
    }
  }

  private static ChannelCredentials tls(SourceOptions.Address address) throws IOException {
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    if (address.anyServer()) {
      credentials.trustManager(new AnyServer());
    } else if (address.caCertificate() != null) {
      credentials.trustManager(address.caCertificate().toFile());
    }
    if (address.certificate() != null) {
      credentials.keyManager(address.certificate().toFile(), address.key().toFile());
    }
    return credentials.build();
  }

  /** What kind of failure it is. */
  static IOException failure(String endpoint, StatusRuntimeException failed) {
    Status status = failed.getStatus();
    String reason = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
    if (status.getCode() == Status.Code.OUT_OF_RANGE && reason.startsWith(Handles.DELTA_GAP)) {
      return new BackupException(Reason.DELTA_GAP, endpoint + ": " + reason.substring(Handles.DELTA_GAP.length()));
    }
    if (REFUSED.contains(status.getCode())) {
      return new BackupException(Reason.FAILED, endpoint + ": " + reason);
    }
    if (status.getCode() == Status.Code.UNIMPLEMENTED) {
      return new BackupException(Reason.SOURCE_UNAVAILABLE, endpoint + ": not a member of Kvorum, or one that cannot be backed up yet");
    }
    boolean temporary = TEMPORARY.contains(status.getCode()) || reason.equals("etcdserver: too many requests");
    String cause = status.getCause() == null ? "" : " (" + status.getCause().getMessage() + ")";
    return temporary ? new LostException(endpoint + ": " + reason + cause) : new BackupException(Reason.SOURCE_UNAVAILABLE, endpoint + ": " + reason);
  }

  IOException failure(StatusRuntimeException failed) {
    return failure(endpoint, failed);
  }

  DescribeResponse describe() throws IOException {
    try {
      return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).describe(DescribeRequest.getDefaultInstance());
    } catch (StatusRuntimeException failed) {
      throw failure(failed);
    }
  }

  /** For single calls, which are answered at once. */
  BackupGrpc.BackupBlockingStub calls() {
    return BackupGrpc.newBlockingStub(channel).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
  }

  /** For streams, and what reads everything. A member that has vanished is noticed by pings. */
  BackupGrpc.BackupBlockingStub streams() {
    return BackupGrpc.newBlockingStub(channel);
  }

  /** For what goes on beside the rest. */
  BackupGrpc.BackupFutureStub beside() {
    return BackupGrpc.newFutureStub(channel);
  }

  @Override
  public void close() {
    connection.shutdownNow();
  }
}
