package io.kvorum.server.watch;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchCancelRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchProgressRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;

/**
 * The stream elsewhere of one stream here. Watches have ids of its own there, never used twice. Belongs to the watch thread; at most one response waits, and the next one is taken
 * from the network when {@link #next} is called.
 */
final class WatchRelay {
  /** Who hears of it, on the watch thread; nothing after the end. */
  interface Listener {
    void response(WatchRelay relay, WatchResponse response);

    /** The stream is over. */
    void ended(WatchRelay relay, Status status);
  }

  /**
   * How streams elsewhere are opened.
   *
   * @param headers of each
   */
  record Opener(Channel channel, Metadata headers, WatchHub hub) {
    WatchRelay open(Listener listener) {
      return new WatchRelay(this, listener);
    }
  }

  private final ClientCall<WatchRequest, WatchResponse> call;
  private long lastId;
  private boolean over;

  private WatchRelay(Opener opener, Listener listener) {
    call = opener.channel.newCall(WatchGrpc.getWatchMethod(), CallOptions.DEFAULT.withMaxInboundMessageSize(Integer.MAX_VALUE));
    Metadata headers = new Metadata();
    headers.merge(opener.headers);
    call.start(new Responses(opener.hub, listener), headers);
    call.request(1);
  }

  /** Returns the id that the watch has there. */
  long create(WatchCreateRequest request) {
    lastId++;
    send(WatchRequest.newBuilder().setCreateRequest(request.toBuilder().setWatchId(lastId)));
    return lastId;
  }

  void cancel(long id) {
    send(WatchRequest.newBuilder().setCancelRequest(WatchCancelRequest.newBuilder().setWatchId(id)));
  }

  void progress() {
    send(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()));
  }

  private void send(WatchRequest.Builder request) {
    if (!over) {
      call.sendMessage(request.build());
    }
  }

  /** Takes the next response. */
  void next() {
    if (!over) {
      call.request(1);
    }
  }

  void close() {
    if (!over) {
      over = true;
      call.cancel("the stream is over", null);
    }
  }

  private final class Responses extends ClientCall.Listener<WatchResponse> {
    private final WatchHub hub;
    private final Listener listener;

    Responses(WatchHub hub, Listener listener) {
      this.hub = hub;
      this.listener = listener;
    }

    @Override
    public void onMessage(WatchResponse response) {
      hub.submit(
          () -> {
            if (!over) {
              listener.response(WatchRelay.this, response);
            }
          });
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      hub.submit(
          () -> {
            if (!over) {
              over = true;
              listener.ended(WatchRelay.this, status);
            }
          });
    }
  }
}
