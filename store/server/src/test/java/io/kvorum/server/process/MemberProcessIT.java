package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes: stopped, killed and started again. */
class MemberProcessIT {
  private static final long DEADLINE_SECONDS = 60;
  private static final int SIGTERM_STATUS = 143;

  @TempDir Path temp;

  private static PutRequest put(int i) {
    return PutRequest.newBuilder().setKey(key(i)).setValue(ByteString.copyFromUtf8("value" + i)).build();
  }

  private static ByteString key(int i) {
    return ByteString.copyFromUtf8(String.format("key%05d", i));
  }

  private static void assertHolds(Processes processes, int member, int keys) {
    RangeResponse all = processes.kv(member).range(RangeRequest.newBuilder().setKey(key(0)).setRangeEnd(key(99_999)).build());
    assertThat(all.getKvsCount()).isEqualTo(keys);
    for (int i = 0; i < keys; i++) {
      assertThat(all.getKvs(i).getValue().toStringUtf8()).isEqualTo("value" + i);
    }
  }

  @Test
  void a_member_stops_at_sigterm_and_survives_sigkill_with_all_that_it_acknowledged() throws Exception {
    try (Processes processes = new Processes(temp, 1)) {
      Process first = processes.start(0);
      processes.awaitReady(0);
      int written = 0;
      for (; written < 200; written++) {
        processes.kv(0).put(put(written));
      }
      first.destroy();
      assertThat(first.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(first.exitValue()).isEqualTo(SIGTERM_STATUS);
      assertThat(Files.readString(processes.log(0))).contains("received signal; shutting down", "closed etcd server");

      for (int round = 0; round < 2; round++) {
        processes.start(0);
        processes.awaitReady(0);
        assertHolds(processes, 0, written);
        for (int i = 0; i < 200; i++) {
          processes.kv(0).put(put(written++));
        }
        processes.kill(0);
      }
      processes.start(0);
      processes.awaitReady(0);
      assertHolds(processes, 0, written);
      assertThat(processes.status(0).getHeader().getRevision()).isEqualTo(written + 1);
    }
  }

  @Test
  void three_members_go_on_without_their_leader_and_take_it_back() throws Exception {
    try (Processes processes = new Processes(temp, 3)) {
      processes.startAll();
      processes.awaitLeader();
      int written = 0;
      for (; written < 100; written++) {
        processes.kv(written % 3).put(put(written));
      }
      int leader = processes.awaitLeader();
      processes.kill(leader);
      int other = (leader + 1) % 3;
      for (; written < 200; written++) {
        putUntilAccepted(processes, other, written);
      }
      processes.start(leader);
      processes.awaitReady(leader);
      for (int member = 0; member < 3; member++) {
        assertHolds(processes, member, written);
      }
      long revision = processes.status(other).getHeader().getRevision();
      int hash = hash(processes, other, revision);
      for (int member = 0; member < 3; member++) {
        assertThat(hash(processes, member, revision)).as("HashKV of m" + member).isEqualTo(hash);
      }
    }
  }

  @Test
  void a_leader_that_stops_hands_over_first() throws Exception {
    try (Processes processes = new Processes(temp, 3)) {
      processes.startAll();
      int leader = processes.awaitLeader();
      processes.awaitReady(leader);
      Process process = processes.stop(leader);
      assertThat(process.exitValue()).isEqualTo(SIGTERM_STATUS);
      assertThat(Files.readString(processes.log(leader))).contains("leadership transfer finished");
      processes.kv((leader + 1) % 3).put(put(0));
    }
  }

  private static int hash(Processes processes, int member, long revision) {
    return MaintenanceGrpc.newBlockingStub(processes.channel(member))
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .hashKV(HashKVRequest.newBuilder().setRevision(revision).build())
        .getHash();
  }

  /** Puts the same value again after errors that a leader's death causes; the put is idempotent but for its revision. */
  private static void putUntilAccepted(Processes processes, int member, int i) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (true) {
      try {
        processes.kv(member).put(put(i));
        return;
      } catch (StatusRuntimeException refused) {
        assertThat(System.nanoTime()).as(refused.toString()).isLessThan(deadline);
        Thread.sleep(50);
      }
    }
  }
}
