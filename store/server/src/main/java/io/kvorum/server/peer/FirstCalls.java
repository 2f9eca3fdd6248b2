package io.kvorum.server.peer;

import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.server.base.Completion;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.maintenance.PeerHashes;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Calls to other members before the transport runs: a connection for each call, each of the member's URLs once until one answers. */
public final class FirstCalls implements PeerHashes {
  private final PeerIdentity self;
  private final PeerChannels channels;
  private final Members members;
  private final long timeoutMillis;

  /**
   * @param timeoutMillis for each URL
   */
  public FirstCalls(PeerIdentity self, PeerChannels channels, Members members, long timeoutMillis) {
    this.self = self;
    this.channels = channels;
    this.members = members;
    this.timeoutMillis = timeoutMillis;
  }

  @Override
  public void hash(long member, long revision, Completion<HashKVResponse> completion) {
    Member known = members.view().member(member);
    List<String> urls = known == null ? List.of() : known.peerUrls();
    next(member, urls.iterator(), HashKVRequest.newBuilder().setRevision(revision).build(), Status.UNAVAILABLE.withDescription("no peer URL"), completion);
  }

  private void next(long member, Iterator<String> urls, HashKVRequest request, Status failure, Completion<HashKVResponse> completion) {
    if (!urls.hasNext()) {
      completion.failed(failure.asRuntimeException());
      return;
    }
    ManagedChannel channel;
    try {
      channel = channels.open(PeerUrls.parse(urls.next()));
    } catch (IllegalArgumentException e) {
      next(member, urls, request, Status.UNAVAILABLE.withDescription(e.getMessage()), completion);
      return;
    }
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
    ClientCalls.asyncUnaryCall(
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(self.headers(member))).newCall(PeerGrpc.getHashKVMethod(), options),
        request,
        new StreamObserver<>() {
          private HashKVResponse answer;

          @Override
          public void onNext(HashKVResponse value) {
            answer = value;
          }

          @Override
          public void onError(Throwable reason) {
            channel.shutdownNow();
            Status status = Status.fromThrowable(reason);
            boolean answered = status.getCode() != Status.Code.UNAVAILABLE && status.getCode() != Status.Code.DEADLINE_EXCEEDED;
            if (answered) {
              completion.failed(new StatusRuntimeException(status));
            } else {
              next(member, urls, request, status, completion);
            }
          }

          @Override
          public void onCompleted() {
            channel.shutdownNow();
            completion.done(answer);
          }
        });
  }
}
