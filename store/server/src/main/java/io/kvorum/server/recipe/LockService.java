package io.kvorum.server.recipe;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v3lockpb.LockRequest;
import io.kvorum.protocol.v3lockpb.LockResponse;
import io.kvorum.protocol.v3lockpb.UnlockRequest;
import io.kvorum.protocol.v3lockpb.UnlockResponse;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** {@code v3lockpb.Lock}: a lock belongs to the first in its {@link WaitingLine} until that one's key is deleted or its lease ends. */
public final class LockService implements BindableService {
  private final LocalStore store;
  private final Programs programs;

  /**
   * @param services this member's own services, asked for when first needed
   * @param threads a (virtual) thread for each task
   */
  public LockService(Supplier<Channel> services, Executor threads) {
    this.store = new LocalStore(services);
    this.programs = new Programs(threads);
  }

  @Override
  public ServerServiceDefinition bindService() {
    LockGrpc.AsyncService methods =
        new LockGrpc.AsyncService() {
          @Override
          public void lock(LockRequest request, StreamObserver<LockResponse> answer) {
            programs.answer(answer, () -> acquire(request));
          }

          @Override
          public void unlock(UnlockRequest request, StreamObserver<UnlockResponse> answer) {
            programs.answer(answer, () -> UnlockResponse.newBuilder().setHeader(store.delete(request.getKey()).getHeader()).build());
          }
        };
    return ServerInterceptors.intercept(LockGrpc.bindService(methods), new CallerIdentity());
  }

  private LockResponse acquire(LockRequest request) {
    long lease = store.session(request.getLease());
    WaitingLine line = new WaitingLine(store, request.getName());
    WaitingLine.Place place = line.enter(lease, ByteString.EMPTY);
    LockResponse.Builder response = LockResponse.newBuilder().setKey(place.key());
    if (place.isFirst() && !(place.taken() && Context.current().isCancelled())) {
      return response.setHeader(place.answer().getHeader()).build();
    }
    RangeResponse own;
    try {
      line.awaitTurn(place.revision());
      own = store.range(RangeRequest.newBuilder().setKey(place.key()).build());
    } catch (RuntimeException failed) {
      line.leave(place);
      throw failed;
    }
    if (own.getKvsCount() == 0) {
      throw RecipeException.sessionExpired();
    }
    return response.setHeader(own.getHeader()).build();
  }
}
