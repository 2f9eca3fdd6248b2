package io.kvorum.server.watch;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.server.base.EtcdError;
import java.util.Locale;

/**
 * {@code etcdserverpb.Watch}: one bidirectional stream carries any number of watches. The method is the public one with a marshaller of our own for
 * responses, so that the bytes of an event are shared by all streams.
 */
public final class WatchService implements BindableService {
  static final MethodDescriptor<WatchRequest, WatchMessage> WATCH =
      MethodDescriptor.<WatchRequest, WatchMessage>newBuilder()
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(WatchGrpc.getWatchMethod().getFullMethodName())
          .setRequestMarshaller(ProtoUtils.marshaller(WatchRequest.getDefaultInstance()))
          .setResponseMarshaller(WatchMessageMarshaller.INSTANCE)
          .build();

  private final WatchHub hub;
  private final WatchGuard guard;

  /**
   * @param hub the started hub
   * @param guard decides who may watch what
   */
  public WatchService(WatchHub hub, WatchGuard guard) {
    this.hub = hub;
    this.guard = guard;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(WatchGrpc.SERVICE_NAME).addMethod(WATCH, (call, headers) -> start(call)).build();
  }

  private ServerCall.Listener<WatchRequest> start(ServerCall<WatchRequest, WatchMessage> call) {
    if (!hub.running()) {
      call.close(EtcdError.SERVER_STOPPED.status(), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    call.sendHeaders(new Metadata());
    WatchStream stream = hub.open(new CallSink(call));
    call.request(WatchStream.REQUEST_WINDOW);
    return new Requests(stream);
  }

  /** The client's side of one stream, heard on its event loop. */
  private final class Requests extends ServerCall.Listener<WatchRequest> {
    private final WatchStream stream;

    Requests(WatchStream stream) {
      this.stream = stream;
    }

    @Override
    public void onMessage(WatchRequest request) {
      switch (request.getRequestUnionCase()) {
        case CREATE_REQUEST -> hub.create(stream, request.getCreateRequest(), refusal(guard.check(request.getCreateRequest())));
        case CANCEL_REQUEST -> hub.cancel(stream, request.getCancelRequest().getWatchId());
        case PROGRESS_REQUEST -> hub.progress(stream);
        case REQUESTUNION_NOT_SET -> hub.unknown(stream);
      }
    }

    @Override
    public void onReady() {
      hub.ready(stream);
    }

    // Half-closing ends nothing: events go on until the client cancels the call.

    @Override
    public void onCancel() {
      hub.closed(stream);
    }

    @Override
    public void onComplete() {
      hub.closed(stream);
    }
  }

  /** As etcd prints a status: {@code rpc error: code = PermissionDenied desc = etcdserver: permission denied}. */
  static String refusal(Status status) {
    if (status.isOk()) {
      return null;
    }
    StringBuilder code = new StringBuilder();
    for (String word : status.getCode().name().split("_")) {
      code.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return "rpc error: code = " + code + " desc = " + status.getDescription();
  }
}
