package io.kvorum.server.process;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.server.base.Completion;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpRequest;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.maintenance.PeerHashes;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** etcd's {@code /members/hashkv} on the peer port: GET with a HashKVRequest as JSON in the body. Our own members ask over gRPC. */
final class HashEndpoint implements HttpHandler {
  static final String PATH = "/members/hashkv";

  private static final String CLUSTER_ID = "X-Etcd-Cluster-ID";
  private static final String PREFIX = "etcdserver: ";
  private static final int BAD_REQUEST = 400;
  private static final int PRECONDITION_FAILED = 412;

  private final String cluster;
  private final long self;
  private final PeerHashes hashes;

  /**
   * @param hashes asked for those of this member
   */
  HashEndpoint(long cluster, long self, PeerHashes hashes) {
    this.cluster = MemberIds.hex(cluster);
    this.self = self;
    this.hashes = hashes;
  }

  @Override
  public void handle(HttpRequest request, Responder responder) {
    if (!request.method().equals("GET")) {
      responder.respond(HttpResponse.methodNotAllowed("GET"));
      return;
    }
    String asked = request.header("x-etcd-cluster-id");
    if (!asked.isEmpty() && !asked.equals(cluster)) {
      responder.respond(HttpResponse.error(PRECONDITION_FAILED, "cluster ID mismatch"));
      return;
    }
    HashKVRequest.Builder parsed = HashKVRequest.newBuilder();
    try {
      String body = new String(request.body(), StandardCharsets.UTF_8);
      if (body.isBlank()) {
        throw new InvalidProtocolBufferException("no body");
      }
      JsonFormat.parser().ignoringUnknownFields().merge(body, parsed);
    } catch (InvalidProtocolBufferException e) {
      responder.respond(HttpResponse.error(BAD_REQUEST, "error unmarshalling request"));
      return;
    }
    hashes.hash(
        self,
        parsed.getRevision(),
        new Completion<>() {
          @Override
          public void done(HashKVResponse answer) {
            responder.respond(HttpResponse.ok("application/json", json(answer)).with(Map.of(CLUSTER_ID, cluster)));
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            String text = String.valueOf(reason.getStatus().getDescription());
            responder.respond(HttpResponse.error(BAD_REQUEST, text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text));
          }
        });
  }

  /** Numbers as Go's encoding/json writes them, not as the gateway does. */
  private static String json(HashKVResponse answer) {
    return "{\"header\":{\"revision\":" + answer.getHeader().getRevision() + "},\"hash\":" + Integer.toUnsignedString(answer.getHash())
        + ",\"compact_revision\":" + answer.getCompactRevision() + ",\"hash_revision\":" + answer.getHashRevision() + "}";
  }
}
