package io.kvorum.server.agent;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.front.HealthSource;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The agent lives while it answers; it is ready when the cluster answers it, or while it serves without. That its user may not read the key that is asked for shows an answer too,
 * as in etcd.
 */
final class AgentHealth implements HealthSource {
  private static final RangeRequest PROBE = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("health")).setKeysOnly(true).setLimit(1).build();

  private final Channel upstream;
  private final Duration timeout;
  private final BooleanSupplier servesCutOff;

  /**
   * @param timeout of the read that is asked of the cluster
   * @param servesCutOff whether callers are served although the cluster does not answer
   */
  AgentHealth(Channel upstream, Duration timeout, BooleanSupplier servesCutOff) {
    this.upstream = upstream;
    this.timeout = timeout;
    this.servesCutOff = servesCutOff;
  }

  /** Those of the cluster are the cluster's health. */
  @Override
  public List<String> alarms() {
    return List.of();
  }

  /** Unknown here; the read says it. */
  @Override
  public boolean hasLeader() {
    return true;
  }

  @Override
  public boolean isLearner() {
    return false;
  }

  @Override
  public String serializableRead() {
    return null;
  }

  @Override
  public void linearizableRead(Consumer<String> outcome) {
    if (servesCutOff.getAsBoolean()) {
      outcome.accept(null);
      return;
    }
    KVGrpc.newStub(upstream)
        .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS)
        .range(
            PROBE,
            new StreamObserver<>() {
              @Override
              public void onNext(RangeResponse answer) {
                outcome.accept(null);
              }

              @Override
              public void onError(Throwable reason) {
                Status status = Status.fromThrowable(reason);
                outcome.accept(status.getCode() == Status.Code.PERMISSION_DENIED ? null : String.valueOf(status.getDescription()));
              }

              @Override
              public void onCompleted() {
                // The answer was all.
              }
            });
  }
}
