package io.kvorum.server.apply;

import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Proposals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** A log of one member without consensus: each proposal is an entry, applied and published at once on the calling thread. Keeps the entries for replay. */
public final class DirectLog implements Proposals, WaitingCalls {
  public final List<Entry> entries = new ArrayList<>();
  public final MvccStore store;
  public final LeaseState leases;
  public final ModelMembers members = new ModelMembers();
  public final Alarms alarms = new Alarms();
  public final AuthState auth;
  public final Machine machine;
  private long nextId = 1;
  private Call waiting;

  public DirectLog(MvccStore store, ChangeListener... listeners) {
    this(store, new ModelLeases(), listeners);
  }

  public DirectLog(MvccStore store, LeaseState leases, ChangeListener... listeners) {
    this(store, leases, new AuthState(), listeners);
  }

  public DirectLog(MvccStore store, LeaseState leases, AuthState auth, ChangeListener... listeners) {
    this.store = store;
    this.leases = leases;
    this.auth = auth;
    this.machine = new Machine(new Machine.Parts(store, leases, members, alarms, auth), this, List.of(listeners));
  }

  private record Call(long id, Completion<?> completion) implements Waiting {
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

  @Override
  public synchronized Waiting find(long requestId) {
    return waiting != null && waiting.id == requestId ? waiting : null;
  }

  @Override
  public synchronized <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    waiting = new Call(nextId++, completion);
    apply(request.setHeader(request.getHeader().toBuilder().setId(waiting.id)).build().toByteArray());
  }

  /** Applies the bytes of one entry, as a batch of its own. */
  public synchronized void apply(byte[] data) {
    Entry entry = new Entry(1, machine.appliedIndex() + 1, EntryType.NORMAL, 0, data);
    entries.add(entry);
    machine.apply(entry);
    machine.endBatch(entry.index());
    if (machine.wantsCheckpoint(0)) {
      checkpoint();
    }
  }

  private void checkpoint() {
    try {
      machine.checkpoint(new SnapshotMeta(machine.appliedIndex(), 1, Membership.EMPTY));
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  @Override
  public synchronized void proposeMembership(
      MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    waiting = new Call(nextId++, completion);
    MembershipChange change = new MembershipChange(kind, memberId, context.setRequestId(waiting.id).build().toByteArray());
    Entry entry = new Entry(1, machine.appliedIndex() + 1, EntryType.MEMBERSHIP, 0, change.encode());
    entries.add(entry);
    machine.applyMembership(entry, change, Membership.EMPTY.with(change));
    machine.endBatch(entry.index());
  }

  /** Proposes and gives the answer, or throws the refusal. */
  public <T> T call(LogRequest.Builder request) {
    Answer<T> answer = new Answer<>();
    propose(request, answer);
    return answer.get();
  }

  public void grant(long lease) {
    call(LogRequest.newBuilder().setLeaseGrant(LeaseGrantRequest.newBuilder().setID(lease).setTTL(60)));
  }

  /** Applies the same entries to another machine, cut into batches of a given size. */
  public static void replay(List<Entry> entries, Machine machine, int batch) {
    int inBatch = 0;
    for (Entry entry : entries) {
      if (entry.type() == EntryType.MEMBERSHIP) {
        machine.applyMembership(entry, MembershipChange.decode(entry.data()), Membership.EMPTY);
      } else {
        machine.apply(entry);
      }
      if (++inBatch == batch) {
        machine.endBatch(entry.index());
        inBatch = 0;
      }
    }
    machine.endBatch(machine.appliedIndex());
  }

  public static LogRequest parsed(Entry entry) {
    try {
      return LogRequest.parseFrom(entry.data());
    } catch (InvalidProtocolBufferException broken) {
      throw new IllegalStateException(broken);
    }
  }

  /** Keeps one outcome. */
  public static final class Answer<T> implements Completion<T> {
    private T answer;
    private io.grpc.StatusRuntimeException refusal;
    private int outcomes;

    @Override
    public synchronized void done(T outcome) {
      answer = outcome;
      outcomes++;
    }

    @Override
    public synchronized void failed(io.grpc.StatusRuntimeException reason) {
      refusal = reason;
      outcomes++;
    }

    public synchronized T get() {
      if (outcomes != 1) {
        throw new IllegalStateException(outcomes + " outcomes instead of one");
      }
      if (refusal != null) {
        throw refusal;
      }
      return answer;
    }

    public synchronized boolean isPending() {
      return outcomes == 0;
    }
  }
}
