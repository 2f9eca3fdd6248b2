package io.kvorum.server.watch;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchRequest;

/** Calls made by the watch thread alone. An interceptor may end the call at any time; what is sent after that goes nowhere. */
record CallSink(ServerCall<WatchRequest, WatchMessage> call) implements WatchSink {
  private static final System.Logger LOG = System.getLogger(WatchService.class.getName());

  @Override
  public boolean isReady() {
    return call.isReady();
  }

  @Override
  public void send(WatchMessage message) {
    try {
      call.sendMessage(message);
    } catch (IllegalStateException ended) {
      LOG.log(System.Logger.Level.DEBUG, "response to a watch stream that has ended", ended);
    }
  }

  @Override
  public void request(int count) {
    call.request(count);
  }

  @Override
  public void close(Status status) {
    try {
      call.close(status, new Metadata());
    } catch (IllegalStateException ended) {
      LOG.log(System.Logger.Level.DEBUG, "watch stream had ended already", ended);
    }
  }
}
