package io.kvorum.server.recipe;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.util.function.Supplier;

/** This member's store as its own services offer it. Calls block, and end with the context that they are made in. */
final class LocalStore {
  private static final long SESSION_TTL_SECONDS = 60;

  private final Supplier<Channel> services;

  /**
   * @param services the way to this member's services, asked for when first needed
   */
  LocalStore(Supplier<Channel> services) {
    this.services = services;
  }

  private Channel channel() {
    return ClientInterceptors.intercept(services.get(), new CallerIdentity());
  }

  /** The lease itself, or for 0 a new one of 60 seconds that nobody keeps alive. */
  long session(long lease) {
    if (lease != 0) {
      return lease;
    }
    return LeaseGrpc.newBlockingStub(channel()).leaseGrant(LeaseGrantRequest.newBuilder().setTTL(SESSION_TTL_SECONDS).build()).getID();
  }

  TxnResponse txn(TxnRequest request) {
    return KVGrpc.newBlockingStub(channel()).txn(request);
  }

  RangeResponse range(RangeRequest request) {
    return KVGrpc.newBlockingStub(channel()).range(request);
  }

  DeleteRangeResponse delete(ByteString key) {
    return KVGrpc.newBlockingStub(channel()).deleteRange(DeleteRangeRequest.newBuilder().setKey(key).build());
  }

  /** Does something if the key is still the one that was created at this revision. */
  TxnResponse guarded(ByteString key, long createRevision, RequestOp operation) {
    return txn(TxnRequest.newBuilder().addCompare(created(key, createRevision)).addSuccess(operation).build());
  }

  static Compare created(ByteString key, long revision) {
    return Compare.newBuilder()
        .setKey(key)
        .setTarget(Compare.CompareTarget.CREATE)
        .setResult(Compare.CompareResult.EQUAL)
        .setCreateRevision(revision)
        .build();
  }

  Watching watch(WatchCreateRequest request) {
    BlockingClientCall<WatchRequest, WatchResponse> call =
        ClientCalls.blockingBidiStreamingCall(channel(), WatchGrpc.getWatchMethod(), CallOptions.DEFAULT);
    try {
      call.write(WatchRequest.newBuilder().setCreateRequest(request).build());
    } catch (InterruptedException | StatusException e) {
      throw failed(e);
    }
    return new Watching(call);
  }

  private static RuntimeException failed(Exception reason) {
    if (reason instanceof StatusException status) {
      return status.getStatus().asRuntimeException();
    }
    Thread.currentThread().interrupt();
    return Status.CANCELLED.withDescription("interrupted").asRuntimeException();
  }

  /** One watch of one key or prefix. */
  record Watching(BlockingClientCall<WatchRequest, WatchResponse> call) implements AutoCloseable {
    /** Waits for the next response; null when the watch cannot go on, because what it needs was compacted. */
    WatchResponse next() {
      WatchResponse response;
      try {
        response = call.read();
      } catch (InterruptedException | StatusException e) {
        throw failed(e);
      }
      if (response == null) {
        throw new RecipeException("lost watcher waiting for delete");
      }
      if (!response.getCanceled()) {
        return response;
      }
      if (response.getCompactRevision() != 0) {
        return null;
      }
      throw new RecipeException(response.getCancelReason());
    }

    @Override
    public void close() {
      call.cancel("seen enough", null);
    }
  }
}
