package io.kvorum.server.watch;

import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.util.ArrayList;
import java.util.List;

/** A client that takes as many responses as it was told to. */
final class FakeSink implements WatchSink {
  final List<WatchResponse> received = new ArrayList<>();
  long credit = Long.MAX_VALUE;
  int requested;
  Status closed;

  @Override
  public boolean isReady() {
    return credit > 0 && closed == null;
  }

  @Override
  public void send(WatchMessage message) {
    assert closed == null;
    credit--;
    WatchResponse response = message.toResponse();
    assert response.getSerializedSize() == message.length();
    received.add(response);
  }

  @Override
  public void request(int count) {
    requested += count;
  }

  @Override
  public void close(Status status) {
    closed = status;
  }

  /** What arrived since the last call. */
  List<WatchResponse> take() {
    List<WatchResponse> taken = List.copyOf(received);
    received.clear();
    return taken;
  }

  /** The one response that arrived since the last call. */
  WatchResponse takeOne() {
    List<WatchResponse> taken = take();
    if (taken.size() != 1) {
      throw new AssertionError(taken.size() + " responses instead of one: " + taken);
    }
    return taken.getFirst();
  }
}
