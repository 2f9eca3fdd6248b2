package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Leases with their keys, through kills and changes of the leader. */
class LeasesIT {
  private static final long DEADLINE_SECONDS = 60;
  private static final Set<Status.Code> PASSING = Set.of(Status.Code.UNAVAILABLE, Status.Code.UNIMPLEMENTED, Status.Code.UNKNOWN);

  @TempDir Path temp;

  private static PutWithLeaseRequest request(String key, long ttl) {
    return PutWithLeaseRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setTtl(ttl).build();
  }

  /** Once more while there is no leader, or the feature level has not risen yet. */
  private static PutWithLeaseResponse putWithLease(Processes processes, int member, String key, long ttl) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (true) {
      try {
        return LeasesGrpc.newBlockingStub(processes.channel(member)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).putWithLease(request(key, ttl));
      } catch (StatusRuntimeException notYet) {
        assertThat(PASSING).as(notYet.toString()).contains(notYet.getStatus().getCode());
        assertThat(System.nanoTime()).as(notYet.toString()).isLessThan(deadline);
        Thread.sleep(50);
      }
    }
  }

  private static RangeResponse all(Processes processes, int member) {
    ByteString zero = ByteString.copyFrom(new byte[1]);
    return processes.kv(member).range(RangeRequest.newBuilder().setKey(zero).setRangeEnd(zero).build());
  }

  private static void assertHeld(Processes processes, int member, List<PutWithLeaseResponse> acknowledged) {
    RangeResponse found = all(processes, member);
    for (int i = 0; i < acknowledged.size(); i++) {
      long lease = acknowledged.get(i).getLease();
      ByteString key = ByteString.copyFromUtf8("key" + i);
      assertThat(found.getKvsList()).as("key" + i).anyMatch(pair -> pair.getKey().equals(key) && pair.getLease() == lease);
      var alive =
          LeaseGrpc.newBlockingStub(processes.channel(member))
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(lease).setKeys(true).build());
      assertThat(alive.getKeysList()).as("the lease of key" + i).containsExactly(key);
    }
  }

  @Test
  void what_was_acknowledged_survives_a_kill_as_a_whole() throws Exception {
    try (Processes processes = new Processes(temp, 1)) {
      processes.start(0);
      processes.awaitReady(0);
      List<PutWithLeaseResponse> acknowledged = new ArrayList<>();
      for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
          acknowledged.add(putWithLease(processes, 0, "key" + acknowledged.size(), 600));
        }
        processes.kill(0);
        processes.start(0);
        processes.awaitReady(0);
        assertHeld(processes, 0, acknowledged);
      }
    }
  }

  @Test
  void three_members_agree_over_the_leaders_death_and_let_the_key_go_with_its_lease() throws Exception {
    try (Processes processes = new Processes(temp, 3)) {
      processes.startAll();
      int leader = processes.awaitLeader();
      List<PutWithLeaseResponse> acknowledged = new ArrayList<>();
      for (int i = 0; i < 9; i++) {
        acknowledged.add(putWithLease(processes, i % 3, "key" + i, 600));
      }
      putWithLease(processes, leader, "short", 2);
      processes.kill(leader);
      int other = (leader + 1) % 3;
      acknowledged.add(putWithLease(processes, other, "key9", 600));
      processes.start(leader);
      processes.awaitReady(leader);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
      while (all(processes, other).getKvsList().stream().anyMatch(pair -> pair.getKey().toStringUtf8().equals("short"))) {
        assertThat(System.nanoTime()).as("the short lease ends").isLessThan(deadline);
        Thread.sleep(100);
      }
      long revision = all(processes, other).getHeader().getRevision();
      for (int member = 0; member < 3; member++) {
        assertHeld(processes, member, acknowledged);
        assertThat(hash(processes, member, revision)).as("HashKV of m" + member).isEqualTo(hash(processes, other, revision));
      }
    }
  }

  private static int hash(Processes processes, int member, long revision) {
    return MaintenanceGrpc.newBlockingStub(processes.channel(member))
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .hashKV(HashKVRequest.newBuilder().setRevision(revision).build())
        .getHash();
  }
}
