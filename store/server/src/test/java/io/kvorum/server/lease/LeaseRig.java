package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.ReadView;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.apply.ModelMembers;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.apply.Requests;
import io.kvorum.server.apply.WaitingCalls;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.LinearizableReads;
import io.kvorum.server.base.Proposals;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One member with the real state machine and lessor, a log without consensus, and a clock, reads and an executor that do as the test says. */
final class LeaseRig implements Proposals, WaitingCalls, LinearizableReads {
  static final Limits LIMITS = new Limits(1_572_864, 128, 100, 1_000, 0, 600_000);

  final ModelStore store = new ModelStore();
  volatile long nanos = 77_000_000_000L;
  final Lessor lessor = new Lessor(() -> nanos);
  final Machine machine = new Machine(new Machine.Parts(store, lessor, new ModelMembers(), new Alarms(), new AuthState()), this, List.of());
  volatile RaftStatus status = status(Role.FOLLOWER, 1, 0, 0, 0);
  final Kernel kernel = new Kernel(0xc, 0xa, store, () -> status, this, this, LIMITS);
  final LeaseKeeper keeper = new LeaseKeeper(lessor, kernel, Runnable::run);

  /** Refuses reads with this while set. */
  volatile EtcdError readsFail;

  /** Refuses proposals with this while set. */
  volatile EtcdError proposalsFail;

  /** Proposals wait until {@link #applyNext}. */
  boolean holdProposals;

  final Deque<LogRequest> held = new ArrayDeque<>();
  final List<LogRequest> proposed = new ArrayList<>();
  int reads;
  private final Map<Long, Completion<?>> waiting = new HashMap<>();
  private long nextId = 1;

  private static RaftStatus status(Role role, long term, long leader, long commit, long applied) {
    return new RaftStatus(0xa, role, term, leader, commit, commit, applied, Membership.EMPTY, 0, Map.of());
  }

  synchronized void lead(long term) {
    status = status(Role.LEADER, term, 0xa, 0, 0);
    machine.leadershipChanged(status);
  }

  synchronized void follow(long term, long leader) {
    status = status(Role.FOLLOWER, term, leader, 0, 0);
    machine.leadershipChanged(status);
  }

  void committed(long commit, long applied) {
    status = status(status.role(), status.term(), status.leader(), commit, applied);
  }

  void sleep(long millis) {
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
  }

  /** Lets time pass, with a check every half second. */
  void pass(long millis) {
    for (long left = millis; left > 0; left -= 500) {
      sleep(Math.min(left, 500));
      keeper.check();
    }
  }

  @Override
  public void await(Completion<Void> completion) {
    reads++;
    if (readsFail != null) {
      completion.failed(readsFail.exception());
    } else {
      completion.done(null);
    }
  }

  @Override
  public synchronized <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    proposed.add(request.build());
    if (proposalsFail != null) {
      completion.failed(proposalsFail.exception());
      return;
    }
    waiting.put(nextId, completion);
    LogRequest entry = request.setHeader(LogRequestHeader.newBuilder().setId(nextId++)).build();
    if (holdProposals) {
      held.add(entry);
    } else {
      apply(entry);
    }
  }

  @Override
  public void proposeMembership(MembershipChange.Kind kind, long id, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    throw new UnsupportedOperationException();
  }

  synchronized void applyNext() {
    apply(held.remove());
  }

  private void apply(LogRequest request) {
    Entry entry = new Entry(1, machine.appliedIndex() + 1, EntryType.NORMAL, 0, request.toByteArray());
    machine.apply(entry);
    machine.endBatch(entry.index());
  }

  @Override
  public Waiting find(long requestId) {
    Completion<?> completion = waiting.remove(requestId);
    return completion == null ? null : new Call(completion);
  }

  private record Call(Completion<?> completion) implements Waiting {
    @Override
    public void succeeded(Object answer) {
      done(completion, answer);
    }

    @SuppressWarnings("unchecked")
    private static <T> void done(Completion<T> completion, Object answer) {
      completion.done((T) answer);
    }

    @Override
    public void refused(EtcdError reason) {
      completion.failed(reason.exception());
    }
  }

  /** One outcome, perhaps not yet there. */
  static final class Answer<T> implements Completion<T> {
    private T value;
    private StatusRuntimeException failure;
    private int outcomes;

    @Override
    public synchronized void done(T answer) {
      value = answer;
      outcomes++;
    }

    @Override
    public synchronized void failed(StatusRuntimeException reason) {
      failure = reason;
      outcomes++;
    }

    synchronized boolean pending() {
      return outcomes == 0;
    }

    synchronized T get() {
      if (outcomes != 1) {
        throw new AssertionError(outcomes + " outcomes");
      }
      if (failure != null) {
        throw failure;
      }
      return value;
    }

    synchronized String error() {
      if (outcomes != 1 || failure == null) {
        throw new AssertionError(outcomes + " outcomes, " + value);
      }
      return failure.getStatus().getDescription();
    }

    void await() {
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (pending()) {
        if (System.nanoTime() > until) {
          throw new AssertionError("no outcome in 30 s");
        }
        Thread.onSpinWait();
      }
    }
  }

  <T> Answer<T> ask(LogRequest.Builder request) {
    Answer<T> answer = new Answer<>();
    propose(request, answer);
    return answer;
  }

  void grant(long id, long ttl) {
    ask(LogRequest.newBuilder().setLeaseGrant(LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl))).get();
  }

  void put(String key, long lease) {
    PutRequest.Builder put = Requests.put(key, "v").setLease(lease);
    ask(LogRequest.newBuilder().setPut(put)).get();
  }

  static LeaseKeepAliveRequest keepAlive(long id) {
    return LeaseKeepAliveRequest.newBuilder().setID(id).build();
  }

  Answer<LeaseKeepAliveResponse> renew(LeaseLeader leader, long id) {
    Answer<LeaseKeepAliveResponse> answer = new Answer<>();
    leader.renew(keepAlive(id), answer);
    return answer;
  }

  boolean exists(String key) {
    try (ReadView view = store.view()) {
      return view.get(Requests.bytes(key).toByteArray()) != null;
    }
  }

  long revocations() {
    return proposed.stream().filter(LogRequest::hasLeaseRevoke).count();
  }
}
