package io.kvorum.server.peer;

import io.grpc.Metadata;
import io.kvorum.server.cluster.MemberIds;
import java.util.List;
import java.util.function.Supplier;

/**
 * Who this member is to others, and what every call between members says about it.
 *
 * @param clusterId unsigned
 * @param memberId unsigned
 * @param peerUrls where it is reached now
 */
public record PeerIdentity(long clusterId, long memberId, Supplier<List<String>> peerUrls) {
  static final Metadata.Key<String> CLUSTER = key("kvorum-cluster-id");
  static final Metadata.Key<String> FROM = key("kvorum-from");
  static final Metadata.Key<String> TO = key("kvorum-to");
  static final Metadata.Key<String> URLS = key("kvorum-peer-urls");

  static final String CLUSTER_MISMATCH = "cluster ID mismatch";
  static final String MEMBER_MISMATCH = "member ID mismatch";
  static final String REMOVED = "the member has been permanently removed from the cluster";

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Headers of a call to a member. */
  Metadata headers(long to) {
    Metadata headers = new Metadata();
    headers.put(CLUSTER, MemberIds.hex(clusterId));
    headers.put(FROM, MemberIds.hex(memberId));
    headers.put(TO, MemberIds.hex(to));
    headers.put(URLS, String.join(",", peerUrls.get()));
    return headers;
  }
}
