package io.kvorum.server.peer;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.internal.RaftMessage;
import io.kvorum.protocol.internal.RaftMessages;
import io.kvorum.protocol.internal.StreamEnd;
import io.kvorum.raft.Message;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.cluster.ClusterView;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.logging.Log;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The streams on which other members send messages to this one; of each member the newest counts. A message that consensus does not take (its queue
 * is full) is dropped: the protocol sends again. A member that gets removed is told so by the end of its stream.
 */
final class InboundStreams implements Members.Listener {
  private static final Log LOG = Log.of(InboundStreams.class);

  private final RaftNode node;
  private final PeerMeter meter;
  private final Map<Long, Stream> newest = new ConcurrentHashMap<>();

  InboundStreams(RaftNode node, PeerMeter meter) {
    this.node = node;
    this.meter = meter;
  }

  StreamObserver<RaftMessages> open(long from, StreamObserver<StreamEnd> out) {
    Stream stream = new Stream(from, (ServerCallStreamObserver<StreamEnd>) out);
    newest.put(from, stream);
    stream.out.setOnCancelHandler(stream::ended);
    // Tells the other side that it was accepted.
    out.onNext(StreamEnd.getDefaultInstance());
    return stream;
  }

  @Override
  public void changed(ClusterView view) {
    newest.forEach(
        (from, stream) -> {
          if (view.isRemoved(from)) {
            stream.close(Status.FAILED_PRECONDITION.withDescription(PeerIdentity.REMOVED));
          }
        });
  }

  private final class Stream implements StreamObserver<RaftMessages> {
    private final long from;
    private final ServerCallStreamObserver<StreamEnd> out;
    private final PeerMeter.Peer counts;
    private boolean closed;

    Stream(long from, ServerCallStreamObserver<StreamEnd> out) {
      this.from = from;
      this.out = out;
      this.counts = meter.of(from);
    }

    @Override
    public void onNext(RaftMessages batch) {
      counts.receivedBytes.add(batch.getSerializedSize());
      for (RaftMessage encoded : batch.getMessagesList()) {
        Message message;
        try {
          message = MessageCodec.decode(encoded);
        } catch (IllegalArgumentException e) {
          counts.receivedFailures.increment();
          LOG.warn("dropped a message from remote peer", "remote-peer-id", MemberIds.hex(from), "error", e.getMessage());
          continue;
        }
        if (message.from() == from) {
          node.receive(message);
        }
      }
    }

    @Override
    public void onError(Throwable reason) {
      counts.receivedFailures.increment();
      ended();
    }

    @Override
    public void onCompleted() {
      ended();
      close(Status.OK);
    }

    private void ended() {
      if (newest.remove(from, this)) {
        node.peerClosed(from);
      }
    }

    /** Any thread; once. */
    private synchronized void close(Status status) {
      if (closed || out.isCancelled()) {
        return;
      }
      closed = true;
      if (status.isOk()) {
        out.onCompleted();
      } else {
        out.onError(status.asRuntimeException());
      }
    }
  }
}
