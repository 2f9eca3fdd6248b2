package io.kvorum.server.propose;

import static io.kvorum.server.apply.Requests.delete;
import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.op;
import static io.kvorum.server.apply.Requests.otherwise;
import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.then;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.RaftStatus.FollowerProgress;
import io.kvorum.raft.node.ReadCallback;
import io.kvorum.server.apply.DirectLog;
import io.kvorum.server.apply.DirectLog.Answer;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.apply.PutCost;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LogProposalsTest {
  private static final Limits LIMITS = new Limits(10_000, 128, 100, 1_000, 2_000, 1_000);
  private static final long MEMBER = 0x1234_5678_9abc_def0L;

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final FakeNode node = new FakeNode();
  private final ModelStore store = new ModelStore();
  private final DirectLog replica = new DirectLog(store);
  private boolean logSpaceLow;
  private long now = 1_000_000_000L;
  private final PendingCalls calls = new PendingCalls(MEMBER, 1_700_000_000_000L, () -> now, LIMITS);
  private final LogProposals proposals =
      new LogProposals(MEMBER, node, calls, new SpaceQuota(MEMBER, store, () -> store.spaceLow() || logSpaceLow, replica.alarms, LIMITS::quotaBytes), LIMITS, timer);

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  private static void assertRefused(Answer<?> answer, EtcdError error) {
    assertThatThrownBy(answer::get).isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus()).isSameAs(error.status()));
  }

  private Answer<PutResponse> propose(LogRequest.Builder request) {
    Answer<PutResponse> answer = new Answer<>();
    proposals.propose(request, answer);
    return answer;
  }

  private LogRequest proposed(int index) {
    try {
      return LogRequest.parseFrom(node.proposed.get(index));
    } catch (InvalidProtocolBufferException broken) {
      throw new IllegalStateException(broken);
    }
  }

  private void passSeconds(long seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  private void sweep() {
    calls.sweep(node::status);
  }

  private void leader(Role role, long leader) {
    node.status = FakeNode.status(role, leader, 0, 0, Map.of());
    calls.leadershipChanged(node.status);
  }

  @Test
  void aCallIsFoundByItsIdAndCompletedOnce() {
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    assertThat(answer.isPending()).isTrue();
    long id = proposed(0).getHeader().getId();
    var waiting = calls.find(id);
    waiting.succeeded(PutResponse.getDefaultInstance());
    waiting.refused(EtcdError.NO_SPACE);
    assertThat(answer.get()).isEqualTo(PutResponse.getDefaultInstance());
    assertThat(calls.find(id)).isNull();
  }

  @Test
  void idsAreUniqueAndBeginWithTheMemberAndTheStartTime() {
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      propose(log(delete("a")));
      long id = proposed(i).getHeader().getId();
      assertThat(id >>> 48).isEqualTo(MEMBER & 0xffff);
      assertThat(ids.add(id)).isTrue();
    }
    assertThat(ids).contains((MEMBER << 48) | ((1_700_000_000_000L << 8) & ((1L << 48) - 1)));
  }

  @Test
  void nobodyWaitsForIdsOfOtherMembersOrNone() {
    propose(log(put("a", "1")));
    long id = proposed(0).getHeader().getId();
    assertThat(calls.find(id ^ 1L << 60)).isNull();
    assertThat(calls.find(id + PendingCalls.CAPACITY)).isNull();
    assertThat(calls.find(0)).isNull();
  }

  @Test
  void theNumberOfWaitingCallsIsBoundedAndOneSlowCallBlocksNoOther() {
    Answer<PutResponse> slow = propose(log(delete("a")));
    for (int i = 1; i < PendingCalls.CAPACITY; i++) {
      propose(log(delete("a")));
    }
    assertThat(EtcdError.TOO_MANY_REQUESTS.status().getCode()).as("as it arrives from etcd").isEqualTo(io.grpc.Status.Code.UNKNOWN);
    assertRefused(propose(log(delete("a"))), EtcdError.TOO_MANY_REQUESTS);
    for (int i = 1; i < PendingCalls.CAPACITY; i++) {
      calls.find(proposed(i).getHeader().getId()).succeeded(PutResponse.getDefaultInstance());
    }
    for (int i = 0; i < 100; i++) {
      assertThat(propose(log(delete("a"))).isPending()).isTrue();
    }
    assertThat(slow.isPending()).isTrue();
  }

  @Test
  void aRequestAboveTheLimitIsTooLargeAndOneAtTheLimitPasses() {
    LogRequest.Builder large = log(delete("a").setKey(ByteString.copyFrom(new byte[LIMITS.maxRequestBytes()])));
    assertRefused(propose(large), EtcdError.REQUEST_IS_TOO_LARGE);
    assertThat(node.proposed).isEmpty();
    propose(log(delete("a").setKey(ByteString.copyFrom(new byte[1_000]))));
    int overhead = node.proposed.getFirst().length - 1_000;
    assertThat(propose(log(delete("a").setKey(ByteString.copyFrom(new byte[LIMITS.maxRequestBytes() - overhead])))).isPending()).isTrue();
    assertThat(node.proposed.get(1)).hasSize(LIMITS.maxRequestBytes());
    assertRefused(propose(log(delete("a").setKey(ByteString.copyFrom(new byte[LIMITS.maxRequestBytes() - overhead + 1])))), EtcdError.REQUEST_IS_TOO_LARGE);
  }

  @Test
  void whatConsensusRefusesIsTooManyRequestsAndAStoppedOneIsServerStopped() {
    node.result = RaftNode.ProposeResult.REFUSED;
    assertRefused(propose(log(put("a", "1"))), EtcdError.TOO_MANY_REQUESTS);
    node.result = RaftNode.ProposeResult.STOPPED;
    assertRefused(propose(log(put("a", "1"))), EtcdError.SERVER_STOPPED);
  }

  @Test
  void moreThanFiveThousandUnappliedEntriesRefuseNewOnes() {
    node.status = FakeNode.status(Role.LEADER, 1, 5_001, 0, Map.of());
    assertRefused(propose(log(put("a", "1"))), EtcdError.TOO_MANY_REQUESTS);
    node.status = FakeNode.status(Role.LEADER, 1, 5_000, 0, Map.of());
    assertThat(propose(log(put("a", "1"))).isPending()).isTrue();
  }

  @Test
  void closingFailsWhatWaitsAndWhatComes() {
    Answer<PutResponse> waiting = propose(log(put("a", "1")));
    proposals.close();
    assertRefused(waiting, EtcdError.SERVER_STOPPED);
    assertRefused(propose(log(put("a", "1"))), EtcdError.SERVER_STOPPED);
    Answer<ResponseHeader> change = new Answer<>();
    proposals.proposeMembership(MembershipChange.Kind.REMOVE, 3, MemberContext.newBuilder(), change);
    assertRefused(change, EtcdError.SERVER_STOPPED);
  }

  @Test
  void aWriteThatNeverSawALeaderExceedsItsDeadlineAfterSevenSeconds() {
    node.status = FakeNode.status(Role.FOLLOWER, 0, 0, 0, Map.of());
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    passSeconds(6);
    sweep();
    assertThat(answer.isPending()).isTrue();
    passSeconds(1);
    sweep();
    assertRefused(answer, EtcdError.DEADLINE_EXCEEDED);
  }

  @Test
  void aWriteUnderAStableLeaderTimesOutPlainly() {
    leader(Role.FOLLOWER, 2);
    passSeconds(100);
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    passSeconds(7);
    sweep();
    assertRefused(answer, EtcdError.TIMED_OUT);
  }

  @Test
  void aWriteThatBeganShortlyBeforeAnElectionBlamesTheFormerLeader() {
    leader(Role.FOLLOWER, 2);
    passSeconds(100);
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    passSeconds(1);
    leader(Role.FOLLOWER, 3);
    passSeconds(6);
    sweep();
    assertRefused(answer, EtcdError.TIMED_OUT_LEADER_FAILURE);
  }

  @Test
  void aWriteWhoseLeaderWasLostAndNotReplacedTimesOutPlainly() {
    leader(Role.FOLLOWER, 2);
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    passSeconds(1);
    leader(Role.FOLLOWER, 0);
    passSeconds(6);
    sweep();
    assertRefused(answer, EtcdError.TIMED_OUT);
  }

  @Test
  void aLeaderThatHearsNoQuorumBlamesTheConnections() {
    leader(Role.LEADER, 1);
    passSeconds(100);
    Answer<PutResponse> answer = propose(log(put("a", "1")));
    node.status = FakeNode.status(Role.LEADER, 1, 0, 0, Map.of(2L, new FollowerProgress(0, false, false), 3L, new FollowerProgress(0, false, false)));
    passSeconds(7);
    sweep();
    assertRefused(answer, EtcdError.TIMED_OUT_CONNECTION_LOST);
  }

  @Test
  void aMembershipChangeCarriesItsRequestIdAndIsRetriedWhileConsensusRefuses() throws Exception {
    node.result = RaftNode.ProposeResult.REFUSED;
    Answer<ResponseHeader> answer = new Answer<>();
    proposals.proposeMembership(MembershipChange.Kind.ADD_LEARNER, 9, MemberContext.newBuilder().setId(9), answer);
    assertThat(answer.isPending()).isTrue();
    node.result = RaftNode.ProposeResult.ACCEPTED;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (node.changeCount() == 0 && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    MembershipChange change = node.changes.getFirst();
    assertThat(change.kind()).isEqualTo(MembershipChange.Kind.ADD_LEARNER);
    calls.find(MemberContext.parseFrom(change.context()).getRequestId()).refused(EtcdError.TOO_MANY_LEARNERS);
    assertRefused(answer, EtcdError.TOO_MANY_LEARNERS);
  }

  @Test
  void aPutBeyondTheQuotaRaisesTheAlarmThroughTheLogAndAnswersWhenItIsRaised() {
    Answer<PutResponse> fits = propose(log(put("a", "x".repeat(1_700))));
    assertThat(fits.isPending()).isTrue();
    Answer<PutResponse> exceeds = propose(log(put("a", "x".repeat(1_744))));
    assertThat(node.proposed).hasSize(2);
    AlarmRequest alarm = proposed(1).getAlarm();
    assertThat(alarm).isEqualTo(AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setAlarm(AlarmType.NOSPACE).setMemberID(MEMBER).build());
    assertThat(exceeds.isPending()).isTrue();
    assertRefused(propose(log(put("a", "x".repeat(1_744)))), EtcdError.NO_SPACE);
    replica.apply(node.proposed.get(1));
    calls.find(proposed(1).getHeader().getId()).succeeded(null);
    assertRefused(exceeds, EtcdError.NO_SPACE);
    assertRefused(propose(log(put("a", "x".repeat(1_744)))), EtcdError.NO_SPACE);
    assertThat(node.proposed).as("the alarm is raised once").hasSize(2);
  }

  @Test
  void aDiskBelowItsReserveRefusesDataAndTakesDeletions() {
    store.spaceLow = true;
    Answer<PutResponse> refused = propose(log(put("a", "1")));
    calls.find(proposed(0).getHeader().getId()).refused(EtcdError.TIMED_OUT);
    assertRefused(refused, EtcdError.NO_SPACE);
    assertThat(propose(log(delete("a"))).isPending()).isTrue();
  }

  @Test
  void aLowDiskUnderTheLogAloneRefusesDataAsWell() {
    logSpaceLow = true;
    Answer<PutResponse> refused = propose(log(put("a", "1")));
    calls.find(proposed(0).getHeader().getId()).refused(EtcdError.TIMED_OUT);
    assertRefused(refused, EtcdError.NO_SPACE);
    assertThat(propose(log(delete("a"))).isPending()).isTrue();
  }

  @Test
  void costsFollowEtcdsRule() {
    assertThat(PutCost.of(log(put("abc", "de")))).isEqualTo(261);
    assertThat(PutCost.of(log(delete("abc")))).isZero();
    assertThat(PutCost.of(LogRequest.newBuilder().setLeaseGrant(LeaseGrantRequest.newBuilder().setTTL(5)))).isEqualTo(64);
    var nested = then(op(put("a", "12")), op(put("b", "3")), op(delete("c")));
    assertThat(PutCost.of(log(otherwise(then(op(put("d", "1234567890"))), op(nested))))).as("the larger branch").isEqualTo(2 * 256 + 5);
  }

  @Test
  void readIndexFailuresBecomeEtcdsErrors() {
    Map<ReadCallback.Failure, EtcdError> expected =
        Map.of(
            ReadCallback.Failure.LEADER_CHANGED, EtcdError.LEADER_CHANGED,
            ReadCallback.Failure.TIMED_OUT, EtcdError.TIMED_OUT,
            ReadCallback.Failure.STOPPED, EtcdError.SERVER_STOPPED,
            ReadCallback.Failure.TOO_MANY, EtcdError.TOO_MANY_REQUESTS);
    assertThat(expected.keySet()).containsAll(List.of(ReadCallback.Failure.values()));
    ReadIndexReads reads = new ReadIndexReads(node);
    expected.forEach(
        (reason, error) -> {
          Answer<Void> answer = new Answer<>();
          reads.await(answer);
          node.reads.getLast().failed(reason);
          assertRefused(answer, error);
        });
    Answer<Void> answer = new Answer<>();
    reads.await(answer);
    node.reads.getLast().ready();
    assertThat(answer.get()).isNull();
  }
}
