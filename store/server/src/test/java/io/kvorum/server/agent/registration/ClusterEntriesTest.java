package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against a server as etcd is: it has no call that grants and puts in one. */
@Timeout(30)
class ClusterEntriesTest {
  private static final ByteString KEY = ByteString.copyFromUtf8("services/web/a");
  private static final long CALL_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private Server server;
  private ManagedChannel channel;
  private ClusterEntries entries;
  private volatile long holder = 7;
  private volatile long renewedTtl = 11;
  private volatile EtcdError refusal;

  @BeforeEach
  void start() throws Exception {
    server = InProcessServerBuilder.forName("cluster-entries").directExecutor().addService(new Leases()).addService(new Keys()).build().start();
    channel = InProcessChannelBuilder.forName("cluster-entries").directExecutor().build();
    entries = new ClusterEntries(channel, new AtomicPut(channel, new GrantThenPut(channel, CALL_NANOS), CALL_NANOS), CALL_NANOS);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  private <A> void answer(StreamObserver<A> to, A answer) {
    if (refusal != null) {
      to.onError(refusal.exception());
    } else {
      to.onNext(answer);
      to.onCompleted();
    }
  }

  private final class Leases extends LeaseGrpc.LeaseImplBase {
    @Override
    public void leaseGrant(LeaseGrantRequest request, StreamObserver<LeaseGrantResponse> to) {
      calls.add("grant " + request.getID() + " " + request.getTTL());
      answer(to, LeaseGrantResponse.newBuilder().setID(request.getID()).setTTL(11).build());
    }

    @Override
    public void leaseRevoke(LeaseRevokeRequest request, StreamObserver<LeaseRevokeResponse> to) {
      calls.add("revoke " + request.getID());
      answer(to, LeaseRevokeResponse.getDefaultInstance());
    }

    @Override
    public StreamObserver<LeaseKeepAliveRequest> leaseKeepAlive(StreamObserver<LeaseKeepAliveResponse> to) {
      return new StreamObserver<>() {
        @Override
        public void onNext(LeaseKeepAliveRequest request) {
          calls.add("renew " + request.getID());
          to.onNext(LeaseKeepAliveResponse.newBuilder().setID(request.getID()).setTTL(renewedTtl).build());
        }

        @Override
        public void onError(Throwable gone) {
          calls.add("broken");
        }

        @Override
        public void onCompleted() {
          to.onCompleted();
        }
      };
    }
  }

  private final class Keys extends KVGrpc.KVImplBase {
    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> to) {
      calls.add("put " + request.getKey().toStringUtf8() + "=" + request.getValue().toStringUtf8() + "@" + request.getLease());
      answer(to, PutResponse.getDefaultInstance());
    }

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> to) {
      RangeResponse.Builder found = RangeResponse.newBuilder();
      if (holder != 0) {
        found.addKvs(KeyValue.newBuilder().setKey(request.getKey()).setLease(holder));
      }
      answer(to, found.build());
    }
  }

  @Test
  void where_the_one_call_is_missing_two_are_made() throws Exception {
    assertThat(entries.write(KEY, ByteString.copyFromUtf8("v"), 7, 10).get()).isEqualTo(11);
    assertThat(calls).containsExactly("grant 7 10", "put services/web/a=v@7");
  }

  @Test
  void a_refusal_is_told_and_the_put_is_not_made_without_its_lease() {
    refusal = EtcdError.NO_SPACE;
    assertThatThrownBy(() -> entries.write(KEY, ByteString.EMPTY, 7, 10).get())
        .isInstanceOf(ExecutionException.class)
        .satisfies(failure -> assertThat(Status.fromThrowable(failure).getDescription()).isEqualTo(EtcdError.NO_SPACE.text()));
    assertThat(calls).containsExactly("grant 7 10");
  }

  @Test
  void a_renewal_tells_who_holds_the_entry() throws Exception {
    assertThat(entries.renew(KEY, 7).get()).isEqualTo(new EntryStore.Renewal(11, Event.Holder.OURS));
    holder = 8;
    assertThat(entries.renew(KEY, 7).get().holder()).isEqualTo(Event.Holder.ANOTHER);
    holder = 0;
    assertThat(entries.renew(KEY, 7).get().holder()).isEqualTo(Event.Holder.NOBODY);
    refusal = EtcdError.PERMISSION_DENIED;
    assertThat(entries.renew(KEY, 7).get()).isEqualTo(new EntryStore.Renewal(11, Event.Holder.UNKNOWN));
    renewedTtl = 0;
    assertThat(entries.renew(KEY, 7).get().ttlSeconds()).isZero();
    assertThat(calls).doesNotContain("broken");
  }

  @Test
  void a_lease_that_is_not_there_is_revoked_and_other_refusals_are_failures() throws Exception {
    entries.revoke(7).get();
    refusal = EtcdError.LEASE_NOT_FOUND;
    entries.revoke(8).get();
    refusal = EtcdError.NO_LEADER;
    assertThatThrownBy(() -> entries.revoke(9).get())
        .isInstanceOf(ExecutionException.class)
        .satisfies(failure -> assertThat(Status.fromThrowable(failure).getDescription()).isEqualTo(EtcdError.NO_LEADER.text()));
    assertThat(calls).containsExactly("revoke 7", "revoke 8", "revoke 9");
  }
}
