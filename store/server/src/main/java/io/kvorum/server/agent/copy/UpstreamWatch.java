package io.kvorum.server.agent.copy;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchProgressRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * One stream with one watch for each span. Everything is heard on the executor, in order; the next response is taken from the network once the one before was dealt with, so
 * that at most one waits. With {@code hasleader}, so that a member without a leader ends it.
 */
final class UpstreamWatch {
  /** What a stream tells; nothing after the end. */
  interface Listener {
    /** Each response's header. */
    void heard(ResponseHeader header);

    /** All watches are there. */
    void opened();

    /** Whole revisions of one span, in order. */
    void events(int span, List<Change> changes);

    /** No event up to a revision is missing; {@code span} -1: in any. */
    void progress(int span, long revision);

    /** The stream is over: its next revision is compacted, it was refused, or it broke. */
    void ended(End end);
  }

  /** Why a stream is over. */
  sealed interface End {
    /** @param floor oldest revision that the cluster still has */
    record Compacted(long floor) implements End {}

    /** By a member that will not let this caller watch, or is no longer there. */
    record Broken(Status status) implements End {}
  }

  private final int spans;
  private final Executor executor;
  private final Listener listener;
  private final ClientCall<WatchRequest, WatchResponse> call;
  private int created;
  private boolean over;

  /** @param from first revision to be told of */
  UpstreamWatch(Channel channel, List<Span> spans, long from, Executor executor, Listener listener) {
    this.spans = spans.size();
    this.executor = executor;
    this.listener = listener;
    this.call = channel.newCall(WatchGrpc.getWatchMethod(), CallOptions.DEFAULT.withMaxInboundMessageSize(Calls.MESSAGE_BYTES_MAX));
    Metadata headers = new Metadata();
    headers.put(Calls.HAS_LEADER, "true");
    call.start(new Responses(), headers);
    call.request(1);
    for (int i = 0; i < spans.size(); i++) {
      WatchCreateRequest.Builder create =
          WatchCreateRequest.newBuilder()
              .setKey(spans.get(i).rangeKey())
              .setRangeEnd(spans.get(i).rangeEnd())
              .setStartRevision(from)
              .setProgressNotify(true)
              .setWatchId(i + 1);
      call.sendMessage(WatchRequest.newBuilder().setCreateRequest(create).build());
    }
  }

  boolean open() {
    return !over && created == spans;
  }

  /** Asks how far all watches are; there is no answer while one is behind. */
  void askProgress() {
    if (!over) {
      call.sendMessage(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build());
    }
  }

  /** Ends it; nothing more is heard. */
  void cancel() {
    if (!over) {
      over = true;
      call.cancel("not needed any more", null);
    }
  }

  private void end(End end) {
    cancel();
    listener.ended(end);
  }

  private void take(WatchResponse response) {
    listener.heard(response.getHeader());
    if (over) {
      return;
    }
    int span = (int) response.getWatchId() - 1;
    if (response.getCanceled()) {
      end(response.getCompactRevision() > 0 ? new End.Compacted(response.getCompactRevision()) : new End.Broken(refusal(response.getCancelReason())));
    } else if (response.getCreated()) {
      if (++created == spans) {
        listener.opened();
      }
    } else if (response.getEventsCount() > 0) {
      listener.events(span, changes(response));
    } else {
      listener.progress(response.getWatchId() < 0 ? -1 : span, response.getHeader().getRevision());
    }
  }

  private static List<Change> changes(WatchResponse response) {
    List<Change> changes = new ArrayList<>(response.getEventsCount());
    long main = 0;
    int sub = 0;
    for (Event event : response.getEventsList()) {
      sub = event.getKv().getModRevision() == main ? sub + 1 : 0;
      main = event.getKv().getModRevision();
      changes.add(Changes.of(event, sub));
    }
    return changes;
  }

  /** A refused watch tells its reason as Go prints a status. */
  static Status refusal(String reason) {
    int text = reason.indexOf(" desc = ");
    for (Status.Code code : List.of(Status.Code.PERMISSION_DENIED, Status.Code.UNAUTHENTICATED, Status.Code.INVALID_ARGUMENT)) {
      if (text > 0 && reason.startsWith("rpc error: code = " + goName(code))) {
        return code.toStatus().withDescription(reason.substring(text + " desc = ".length()));
      }
    }
    return Status.UNAVAILABLE.withDescription(reason.isEmpty() ? "the watch was cancelled" : reason);
  }

  private static String goName(Status.Code code) {
    return switch (code) {
      case PERMISSION_DENIED -> "PermissionDenied";
      case UNAUTHENTICATED -> "Unauthenticated";
      default -> "InvalidArgument";
    };
  }

  private final class Responses extends ClientCall.Listener<WatchResponse> {
    @Override
    public void onMessage(WatchResponse response) {
      executor.execute(
          () -> {
            if (!over) {
              take(response);
            }
            if (!over) {
              call.request(1);
            }
          });
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      executor.execute(
          () -> {
            if (!over) {
              over = true;
              listener.ended(new End.Broken(status.isOk() ? Status.UNAVAILABLE.withDescription("the stream ended") : status));
            }
          });
    }
  }
}
