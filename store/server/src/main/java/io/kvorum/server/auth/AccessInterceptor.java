package io.kvorum.server.auth;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.inprocess.InProcessSocketAddress;
import io.kvorum.server.base.EtcdError;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Puts the credentials of each call into its context, and refuses at once what no service looks at more closely: any method that is not named here takes the root
 * role.
 *
 * <p>The credentials are the metadata {@code token}, else {@code authorization} with or without {@code Bearer}, else the common name of a verified client certificate. A
 * token that this member cannot know yet waits until its log index is applied.
 *
 * <p>A call that this process makes to itself in a caller's name brings that caller's common name as {@link #CALLER_NAME}; from outside nobody is believed that. The
 * gateway's calls bring none: as in etcd, a certificate's name never counts there.
 */
public final class AccessInterceptor implements ServerInterceptor {
  /** UTF-8; counts on calls inside this process only. */
  public static final Metadata.Key<byte[]> CALLER_NAME = Metadata.Key.of("kvorum-caller-name-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> FORWARDED = Metadata.Key.of("grpcgateway-accept", Metadata.ASCII_STRING_MARSHALLER);
  /** What may stand before a token in {@code authorization}. */
  public static final String BEARER = "Bearer ";

  /** Decided by the service, by apply, by the services that it calls in the caller's name, or open to all. */
  private static final Set<String> ELSEWHERE =
      Set.of("etcdserverpb.KV", "etcdserverpb.Watch", "etcdserverpb.Lease", "etcdserverpb.Auth", "kvorum.v1.Leases", "v3lockpb.Lock", "v3electionpb.Election", "grpc.health.v1.Health");

  /** Decided here although its service is not; apply decides it once more. */
  private static final String COMPACT = "etcdserverpb.KV/Compact";

  private static final Set<String> FOR_USERS =
      Set.of("etcdserverpb.Cluster/MemberList", "etcdserverpb.Maintenance/Status", "etcdserverpb.Maintenance/Alarm");

  private static final String LOG_IN = "etcdserverpb.Auth/Authenticate";

  private final Access access;
  private final LongSupplier applied;
  private final ScheduledExecutorService timer;
  private final long waitMillis;
  private final boolean certificates;

  /**
   * @param applied newest applied log index
   * @param timer runs calls whose token had to be waited for
   * @param waitMillis how long to wait for it
   * @param certificates whether the names in verified client certificates count
   */
  public AccessInterceptor(Access access, LongSupplier applied, ScheduledExecutorService timer, long waitMillis, boolean certificates) {
    this.access = access;
    this.applied = applied;
    this.timer = timer;
    this.waitMillis = waitMillis;
    this.certificates = certificates;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String token = token(headers);
    String name = token == null && certificates ? name(call, headers) : null;
    if (token == null && name == null) {
      return start(call, headers, next);
    }
    Context context = Context.current().withValue(Access.CREDENTIALS, new Access.Credentials(token, name));
    ServerCallHandler<Q, R> inside = (c, h) -> Contexts.interceptCall(context, c, h, (c2, h2) -> start(c2, h2, next));
    boolean mustWait =
        token != null
            && access.enabled()
            && access.tokens().knownFrom(token) > applied.getAsLong()
            && !call.getMethodDescriptor().getFullMethodName().equals(LOG_IN);
    if (!mustWait) {
      return inside.startCall(call, headers);
    }
    DelayedCall<Q, R> delayed = new DelayedCall<>(call, headers, inside);
    delayed.startWhen(() -> applied.getAsLong() >= access.tokens().knownFrom(token), timer, waitMillis);
    return delayed;
  }

  private <Q, R> ServerCall.Listener<Q> start(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    EtcdError refusal = access.enabled() ? refusal(call.getMethodDescriptor().getServiceName(), call.getMethodDescriptor().getFullMethodName()) : null;
    if (refusal != null) {
      call.close(refusal.status(), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return next.startCall(call, headers);
  }

  private EtcdError refusal(String service, String method) {
    if (ELSEWHERE.contains(service) && !method.equals(COMPACT)) {
      return null;
    }
    Caller caller = access.caller();
    return FOR_USERS.contains(method) ? access.user(caller) : access.admin(caller);
  }

  /** The token that a call brings; null without one. */
  public static String token(Metadata headers) {
    String token = headers.get(TOKEN);
    if (token == null) {
      token = headers.get(AUTHORIZATION);
    }
    return token != null && token.startsWith(BEARER) ? token.substring(BEARER.length()) : token;
  }

  private static String name(ServerCall<?, ?> call, Metadata headers) {
    if (call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InProcessSocketAddress) {
      byte[] name = headers.get(CALLER_NAME);
      return name == null ? null : new String(name, StandardCharsets.UTF_8);
    }
    // What etcd's own gateway puts on the calls that it forwards under the server's certificate.
    return headers.containsKey(FORWARDED) ? null : commonName(call);
  }

  /** Null without a verified client certificate, or when it carries no name. */
  static String commonName(ServerCall<?, ?> call) {
    SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    if (session == null) {
      return null;
    }
    try {
      if (!(session.getPeerCertificates()[0] instanceof X509Certificate certificate)) {
        return null;
      }
      return commonName(certificate.getSubjectX500Principal().getName());
    } catch (SSLPeerUnverifiedException none) {
      return null;
    }
  }

  static String commonName(String subject) {
    try {
      List<Rdn> parts = new LdapName(subject).getRdns();
      for (int i = parts.size() - 1; i >= 0; i--) {
        if (parts.get(i).getType().equalsIgnoreCase("CN") && !parts.get(i).getValue().toString().isEmpty()) {
          return parts.get(i).getValue().toString();
        }
      }
      return null;
    } catch (InvalidNameException broken) {
      return null;
    }
  }
}
