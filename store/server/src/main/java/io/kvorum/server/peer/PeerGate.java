package io.kvorum.server.peer;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.logging.Log;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Checks who calls on the peer port: the right cluster, meant for this member, not removed. Only the question who the members are is open to
 * anyone, for a member that joins has no id yet.
 */
final class PeerGate implements ServerInterceptor {
  /** The calling member's id. */
  static final Context.Key<Long> CALLER = Context.key("kvorum-peer");

  private static final Log LOG = Log.of(PeerGate.class);
  private static final int URLS_MAX = 16;

  private final PeerIdentity self;
  private final Members members;
  private final BiConsumer<Long, List<String>> introduce;

  PeerGate(PeerIdentity self, Members members, BiConsumer<Long, List<String>> introduce) {
    this.self = self;
    this.members = members;
    this.introduce = introduce;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (call.getMethodDescriptor().getFullMethodName().equals(PeerGrpc.getMembersMethod().getFullMethodName())) {
      return next.startCall(call, headers);
    }
    Long cluster = id(headers.get(PeerIdentity.CLUSTER));
    Long from = id(headers.get(PeerIdentity.FROM));
    Long to = id(headers.get(PeerIdentity.TO));
    if (cluster == null || from == null || to == null || from == 0) {
      return refuse(call, Status.INVALID_ARGUMENT.withDescription("peer metadata is missing"));
    }
    if (cluster != self.clusterId()) {
      LOG.warn(
          "request cluster ID mismatch; ignored streaming request; ID mismatch",
          "remote-peer-id", MemberIds.hex(from),
          "local-member-cluster-id", MemberIds.hex(self.clusterId()),
          "remote-peer-cluster-id", MemberIds.hex(cluster),
          "error", PeerIdentity.CLUSTER_MISMATCH);
      return refuse(call, Status.FAILED_PRECONDITION.withDescription(PeerIdentity.CLUSTER_MISMATCH));
    }
    if (members.view().isRemoved(from)) {
      return refuse(call, Status.FAILED_PRECONDITION.withDescription(PeerIdentity.REMOVED));
    }
    if (to != self.memberId()) {
      LOG.warn(
          "ignored streaming request; ID mismatch",
          "remote-peer-id", MemberIds.hex(from),
          "local-member-id", MemberIds.hex(self.memberId()),
          "requested-member-id", MemberIds.hex(to));
      return refuse(call, Status.FAILED_PRECONDITION.withDescription(PeerIdentity.MEMBER_MISMATCH));
    }
    introduce.accept(from, urls(headers.get(PeerIdentity.URLS)));
    return Contexts.interceptCall(Context.current().withValue(CALLER, from), call, headers, next);
  }

  private static List<String> urls(String text) {
    return text == null || text.isEmpty() ? List.of() : Arrays.stream(text.split(",")).limit(URLS_MAX).toList();
  }

  private static Long id(String hex) {
    try {
      return hex == null ? null : Long.parseUnsignedLong(hex, 16);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
    call.close(status, new Metadata());
    return new ServerCall.Listener<>() {};
  }
}
