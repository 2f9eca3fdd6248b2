package io.kvorum.server.peer;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.internal.MembersRequest;
import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.server.cluster.PeerDirectory;
import io.kvorum.server.cluster.PeerUrls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Asks over gRPC. Blocks the caller, which is the starting process. */
public final class GrpcPeerDirectory implements PeerDirectory {
  private final PeerChannels channels;

  public GrpcPeerDirectory(PeerChannels channels) {
    this.channels = channels;
  }

  @Override
  public Optional<MembersResponse> ask(List<String> peerUrls, long timeoutMillis) {
    BlockingQueue<Optional<MembersResponse>> answers = new LinkedBlockingQueue<>();
    List<ManagedChannel> open = new ArrayList<>(peerUrls.size());
    try {
      for (String url : peerUrls) {
        ManagedChannel channel = channels.open(PeerUrls.parse(url));
        open.add(channel);
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
        ClientCalls.asyncUnaryCall(
            channel.newCall(PeerGrpc.getMembersMethod(), options), MembersRequest.getDefaultInstance(), new Collector(answers));
      }
      for (int i = 0; i < peerUrls.size(); i++) {
        Optional<MembersResponse> answer = answers.poll(timeoutMillis, TimeUnit.MILLISECONDS);
        if (answer != null && answer.isPresent()) {
          return answer;
        }
      }
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } finally {
      open.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static final class Collector implements StreamObserver<MembersResponse> {
    private final BlockingQueue<Optional<MembersResponse>> answers;
    private MembersResponse answer;

    Collector(BlockingQueue<Optional<MembersResponse>> answers) {
      this.answers = answers;
    }

    @Override
    public void onNext(MembersResponse value) {
      answer = value;
    }

    @Override
    public void onError(Throwable reason) {
      answers.add(Optional.empty());
    }

    @Override
    public void onCompleted() {
      answers.add(Optional.ofNullable(answer).filter(a -> a.getClusterId() != 0 && a.getMembersCount() > 0));
    }
  }
}
