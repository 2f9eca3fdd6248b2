package io.kvorum.server.lease;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.base.FeatureLevel;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** When the entry may be written at all. */
class LeasesServiceTest {
  private final LeaseRig rig = new LeaseRig();
  private final AtomicInteger level = new AtomicInteger(FeatureLevel.FIRST);
  private final LeasesService service = new LeasesService(rig.kernel, Access.of(new AuthState()), rig.lessor, level::get, new Random(1));

  /** "OK", or the status. */
  private String call() {
    AtomicReference<String> outcome = new AtomicReference<>();
    service.putWithLease(
        PutWithLeaseRequest.newBuilder().setKey(ByteString.copyFromUtf8("k")).setTtl(600).build(),
        new StreamObserver<PutWithLeaseResponse>() {
          @Override
          public void onNext(PutWithLeaseResponse answer) {
            outcome.set("OK");
          }

          @Override
          public void onError(Throwable refusal) {
            outcome.set(((StatusRuntimeException) refusal).getMessage());
          }

          @Override
          public void onCompleted() {}
        });
    return outcome.get();
  }

  @Test
  void nothing_is_written_that_a_member_might_not_understand() {
    rig.lead(1);
    assertThat(call()).isEqualTo("UNIMPLEMENTED: PutWithLease takes feature level 2, the cluster's is 1");
    assertThat(rig.proposed).isEmpty();
    level.set(FeatureLevel.PUT_WITH_LEASE);
    assertThat(call()).isEqualTo("OK");
    assertThat(rig.proposed).hasSize(1);
    assertThat(rig.exists("k")).isTrue();
  }

  @Test
  void the_key_goes_when_nobody_renews_the_lease() {
    level.set(FeatureLevel.PUT_WITH_LEASE);
    rig.lead(1);
    rig.keeper.check();
    assertThat(call()).isEqualTo("OK");
    rig.pass(599_000);
    assertThat(rig.exists("k")).isTrue();
    rig.pass(2_000);
    assertThat(rig.exists("k")).isFalse();
    assertThat(rig.revocations()).isEqualTo(1);
  }
}
