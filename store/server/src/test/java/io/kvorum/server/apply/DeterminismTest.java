package io.kvorum.server.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.kv.RandomLog;
import io.kvorum.server.lease.Lessor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members that applied the same entries hold the same state, whatever differed between them. */
class DeterminismTest {
  private static final int ENTRIES = 1_500;
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint());

  @TempDir Path directory;
  private State expected;
  private List<Entry> entries;

  /**
   * @param hash HashKV at the end
   * @param machine the state beside the history
   */
  private record State(int hash, long revision, List<Byte> machine) {}

  @BeforeEach
  void runTheFirstMember() throws IOException {
    try (MvccStore store = open("first")) {
      DirectLog log = new DirectLog(store, new Lessor(() -> 0));
      RandomLog random = new RandomLog(42);
      for (int i = 0; i < ENTRIES; i++) {
        try {
          log.call(i % 100 == 99 ? rare(i) : random.next(store.revision()));
        } catch (StatusRuntimeException refused) {
          // A refusal must be the same on all members too; the final state tells.
        }
        if (i % 200 == 0) {
          log.proposeMembership(MembershipChange.Kind.ADD_VOTER, i + 1, MemberContext.newBuilder(), new DirectLog.Answer<>());
        }
      }
      entries = log.entries;
      expected = state(log.machine, store);
    }
  }

  private static LogRequest.Builder rare(int i) {
    return i % 200 == 99
        ? LogRequest.newBuilder().setClusterVersionSet(ClusterVersionSetRequest.newBuilder().setVer("3." + i))
        : LogRequest.newBuilder()
            .setAlarm(AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setAlarm(AlarmType.forNumber(i > 1_000 ? 1 : 0)).setMemberID(i));
  }

  private MvccStore open(String name) throws IOException {
    return MvccStore.open(directory.resolve(name), OPTIONS);
  }

  private static Machine machine(MvccStore store) {
    return new Machine(new Machine.Parts(store, new Lessor(() -> 1_000_000), new ModelMembers(), new Alarms(), new AuthState()), WaitingCalls.NONE, List.of());
  }

  private static State state(Machine machine, MvccStore store) {
    try (ReadView view = store.view()) {
      byte[] bytes = machine.state().toByteArray();
      List<Byte> boxed = new ArrayList<>(bytes.length);
      for (byte b : bytes) {
        boxed.add(b);
      }
      return new State(view.hash(0).hash(), view.revision(), boxed);
    }
  }

  @ParameterizedTest(name = "batches of {0}")
  @ValueSource(ints = {1, 7, 1_000_000})
  void batchesMayBeCutAnywhereAndNobodyNeedWait(int batch) throws IOException {
    try (MvccStore store = open("second")) {
      Machine machine = machine(store);
      DirectLog.replay(entries, machine, batch);
      assertThat(state(machine, store)).isEqualTo(expected);
    }
  }

  @Test
  void replayFromAnyCheckpointEndsInTheSameState() throws IOException {
    int next = 0;
    for (int checkpointAt : List.of(1, 10, 400, 401, 900, 1_400)) {
      try (MvccStore store = open("third")) {
        Machine machine = machine(store);
        DirectLog.replay(entries.subList(0, checkpointAt), machine, 13);
        assertThat(machine.appliedIndex()).isEqualTo(checkpointAt);
        machine.checkpoint(new SnapshotMeta(checkpointAt, 1, Membership.EMPTY));
        // What is applied behind the checkpoint is lost when the member dies here.
        DirectLog.replay(entries.subList(0, Math.min(ENTRIES, checkpointAt + 50)), machine, 3);
        next = checkpointAt;
      }
    }
    try (MvccStore store = open("third")) {
      Machine machine = machine(store);
      assertThat(machine.appliedIndex()).isEqualTo(next);
      DirectLog.replay(entries, machine, 64);
      assertThat(state(machine, store)).isEqualTo(expected);
    }
  }
}
