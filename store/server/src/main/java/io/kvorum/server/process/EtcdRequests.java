package io.kvorum.server.process;

import com.google.protobuf.CodedInputStream;
import io.kvorum.protocol.internal.LogRequest;
import java.io.IOException;
import java.util.List;

/** What an entry of the log would be in etcd's. */
final class EtcdRequests {
  /** As deep as any entry may be nested. */
  private static final int NESTING_MAX = 1_000;

  private EtcdRequests() {}

  /**
   * The requests, encoded as etcdserverpb.InternalRaftRequest with our own fields beside: the entry itself, or, for a lease that was granted together with its key,
   * the grant and behind it the put. Whether an entry was refused when it was applied, it does not tell; where such a pair was, in etcd the half that was allowed would stay.
   *
   * @param data of a committed entry that carries a request
   */
  static List<byte[]> of(byte[] data) {
    LogRequest request;
    try {
      CodedInputStream in = CodedInputStream.newInstance(data);
      in.setRecursionLimit(NESTING_MAX);
      request = LogRequest.parseFrom(in);
    } catch (IOException unknown) {
      // Shown as it is.
      return List.of(data);
    }
    if (!request.hasPutWithLease()) {
      return List.of(data);
    }
    LogRequest.Builder grant = LogRequest.newBuilder().setHeader(request.getHeader()).setLeaseGrant(request.getPutWithLease().getGrant());
    LogRequest.Builder put = LogRequest.newBuilder().setHeader(request.getHeader()).setPut(request.getPutWithLease().getPut());
    return List.of(grant.build().toByteArray(), put.build().toByteArray());
  }
}
