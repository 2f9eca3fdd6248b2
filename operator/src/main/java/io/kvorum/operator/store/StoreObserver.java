package io.kvorum.operator.store;

import io.grpc.StatusRuntimeException;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.ClockReading;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.observe.StoreState.MemberList;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.Member;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.Certificate;
import io.kvorum.protocol.v1.DescribeRequest;
import io.kvorum.protocol.v1.DescribeResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Asks every member at the same time what it is, then those that answered for the member list, which is linearizable and so takes a quorum.
 * Each call has a bound of two seconds, so that both rounds take less than five.
 */
final class StoreObserver {
  /** Members asked for the list: the leader, and one more in case it has just gone. */
  private static final int LISTS = 2;

  private final GrpcStoreAdmin store;
  private final Clock clock;

  StoreObserver(GrpcStoreAdmin store, Clock clock) {
    this.store = store;
    this.clock = clock;
  }

  StoreState observe(List<Endpoint> members) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Answer> answers = all(threads, members, this::answer);
      if (answers.isEmpty()) {
        return StoreState.UNKNOWN;
      }
      List<Endpoint> first =
          answers.stream().sorted(Comparator.comparing(answer -> !answer.leads())).limit(LISTS).map(Answer::endpoint).toList();
      long clusterId = answers.getFirst().answer().clusterId();
      Optional<MemberList> list =
          all(threads, first, store::members).stream().findFirst().map(found -> new MemberList(clusterId, found.stream().map(StoreObserver::listed).toList()));
      // Alarms are replicated state: the member that has applied most knows them best.
      List<ActiveAlarm> alarms = answers.stream().max(Comparator.comparingLong(answer -> answer.answer().appliedIndex())).map(Answer::alarms).orElseThrow();
      return new StoreState(answers.stream().map(Answer::answer).toList(), list, alarms, authEnabled(threads, first));
    }
  }

  private record Answer(Endpoint endpoint, MemberAnswer answer, List<ActiveAlarm> alarms) {
    boolean leads() {
      return answer.memberId() == answer.leaderId();
    }
  }

  /** The answers that came, in the order of those who were asked. */
  private static <T> List<T> all(ExecutorService threads, List<Endpoint> members, Function<Endpoint, T> what) {
    List<Future<T>> asked = members.stream().map(endpoint -> threads.submit(() -> what.apply(endpoint))).toList();
    List<T> answers = new ArrayList<>();
    for (Future<T> future : asked) {
      try {
        answers.add(future.get());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof StatusRuntimeException)) {
          throw new IllegalStateException(e.getCause());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return answers;
      }
    }
    return answers;
  }

  private Answer answer(Endpoint endpoint) {
    StatusResponse status = store.call(endpoint, MaintenanceGrpc::newBlockingStub, stub -> stub.status(StatusRequest.getDefaultInstance()));
    Instant asked = clock.instant();
    DescribeResponse described = store.call(endpoint, AdminGrpc::newBlockingStub, stub -> stub.describe(DescribeRequest.getDefaultInstance()));
    Instant answered = clock.instant();
    MemberAnswer answer =
        new MemberAnswer(
            endpoint.member(),
            answered,
            status.getHeader().getClusterId(),
            status.getHeader().getMemberId(),
            status.getLeader(),
            status.getRaftTerm(),
            described.getLastTerm(),
            status.getRaftIndex(),
            status.getRaftAppliedIndex(),
            status.getHeader().getRevision(),
            status.getDbSize(),
            status.getDbSizeInUse(),
            status.getIsLearner(),
            status.getLeader() != 0,
            described.getVersion(),
            described.getClusterVersion(),
            described.getConfigHash(),
            described.getCertificatesList().stream().map(Certificate::getSha256).collect(Collectors.toSet()),
            List.copyOf(status.getErrorsList()),
            reading(described.getClockMillis(), asked, answered));
    return new Answer(endpoint, answer, described.getAlarmsList().stream().flatMap(StoreObserver::alarm).toList());
  }

  /** The answer was made at some moment of the call: the middle is right to half of its length. */
  private static Optional<ClockReading> reading(long clockMillis, Instant asked, Instant answered) {
    long half = Duration.between(asked, answered).toMillis() / 2 + 1;
    return clockMillis == 0 ? Optional.empty() : Optional.of(new ClockReading(clockMillis - asked.toEpochMilli() - half, half));
  }

  private Optional<Boolean> authEnabled(ExecutorService threads, List<Endpoint> members) {
    return all(threads, members, endpoint -> store.call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.authStatus(AuthStatusRequest.getDefaultInstance())))
        .stream()
        .findFirst()
        .map(AuthStatusResponse::getEnabled);
  }

  private static Stream<ActiveAlarm> alarm(AlarmMember alarm) {
    return switch (alarm.getAlarm()) {
      case NOSPACE -> Stream.of(new ActiveAlarm(alarm.getMemberID(), ActiveAlarm.Kind.NOSPACE));
      case CORRUPT -> Stream.of(new ActiveAlarm(alarm.getMemberID(), ActiveAlarm.Kind.CORRUPT));
      case NONE, UNRECOGNIZED -> Stream.empty();
    };
  }

  private static ListedMember listed(Member member) {
    return new ListedMember(member.getID(), member.getName(), member.getPeerURLsList(), member.getClientURLsList(), member.getIsLearner());
  }
}
