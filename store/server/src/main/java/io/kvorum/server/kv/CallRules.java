package io.kvorum.server.kv;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What holds for every call on the client port, in etcd's order:
 *
 * <ol>
 *   <li>a learner, and a member that has not yet seen itself become one, answers Status, serializable Range (which the KV service tells apart) and the Snapshot stream alone;
 *   <li>a {@code client-api-version} that is not UTF-8 is refused;
 *   <li>with {@code hasleader: true} a call is refused when this member knows no leader, and a stream is ended when it has known none for three election timeouts.
 * </ol>
 */
public final class CallRules implements ServerInterceptor, MetricSource {
  static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<byte[]> CLIENT_API_VERSION = InternalMetadata.keyOf("client-api-version", new RawBytes());
  private static final Set<String> FOR_LEARNERS =
      Set.of("etcdserverpb.Maintenance/Status", "etcdserverpb.Maintenance/Snapshot", "etcdserverpb.KV/Range");

  /** The administrative services are ours, and must reach every member. */
  private static final Set<String> ADMINISTRATION = Set.of("kvorum.v1.Admin", "kvorum.v1.Backup");

  private final Supplier<RaftStatus> raft;
  private final LeaderlessStreams streams;
  private final ApiVersions versions = new ApiVersions();

  public CallRules(Supplier<RaftStatus> raft, LeaderlessStreams streams) {
    this.raft = raft;
    this.streams = streams;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    RaftStatus status = raft.get();
    String method = call.getMethodDescriptor().getFullMethodName();
    if (!status.membership().isVoter(status.id()) && !FOR_LEARNERS.contains(method) && !ADMINISTRATION.contains(call.getMethodDescriptor().getServiceName())) {
      return refuse(call, EtcdError.NOT_SUPPORTED_FOR_LEARNER);
    }
    ApiVersions.Counts counts = versions.of(headers.get(CLIENT_API_VERSION));
    if (counts == null) {
      return refuse(call, EtcdError.INVALID_CLIENT_API_VERSION);
    }
    counts.add(call.getMethodDescriptor().getType() == MethodType.UNARY);
    if (!"true".equals(headers.get(HAS_LEADER))) {
      return next.startCall(call, headers);
    }
    if (status.leader() == 0) {
      return refuse(call, EtcdError.NO_LEADER);
    }
    return call.getMethodDescriptor().getType() == MethodType.UNARY ? next.startCall(call, headers) : streams.startCall(call, headers, next);
  }

  private static <Q, R> ServerCall.Listener<Q> refuse(ServerCall<Q, R> call, EtcdError error) {
    call.close(error.status(), new Metadata());
    return new ServerCall.Listener<>() {};
  }

  @Override
  public void collect(MetricsText out) {
    versions.collect(out);
  }

  /** The header's bytes as they came; the ordinary marshaller would replace what is not ASCII. */
  private static final class RawBytes implements InternalMetadata.TrustedAsciiMarshaller<byte[]> {
    @Override
    public byte[] toAsciiString(byte[] value) {
      return value;
    }

    @Override
    public byte[] parseAsciiString(byte[] serialized) {
      return serialized;
    }
  }
}
