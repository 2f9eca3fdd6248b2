package io.kvorum.server.agent.upstream;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One call to the cluster, as one or more attempts.
 *
 * <ol>
 *   <li>A member is found, or waited for; the token is got.
 *   <li>The attempt gets what the caller has sent so far. That is kept until an answer begins to come, no more than {@link #KEPT_MESSAGES_MAX} messages of a stream:
 *       with more the call is not repeated.
 *   <li>An attempt that ends before any answer is followed by another one when {@link Upstream} says so; there are as many attempts as there are members, and two more.
 *       Otherwise its end is the call's.
 * </ol>
 *
 * <p>What the caller does is put into order by a synchronization context; what comes from the attempt goes straight to the caller's listener.
 */
final class UpstreamCall<Q, R> extends ClientCall<Q, R> {
  static final int KEPT_MESSAGES_MAX = 64;

  private static final Log LOG = Log.of(UpstreamCall.class);
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final String WATCH = "etcdserverpb.Watch/Watch";
  private static final String OF_THE_STORE = "etcdserver: ";

  /** They change nothing; etcd's own client repeats the same ones. */
  private static final Set<String> READS =
      Set.of(
          "etcdserverpb.KV/Range", "etcdserverpb.KV/RangeStream", "etcdserverpb.Lease/LeaseTimeToLive", "etcdserverpb.Lease/LeaseLeases",
          "etcdserverpb.Cluster/MemberList", "etcdserverpb.Maintenance/Status", "etcdserverpb.Maintenance/Hash", "etcdserverpb.Maintenance/HashKV",
          "etcdserverpb.Maintenance/Snapshot", "etcdserverpb.Auth/UserGet", "etcdserverpb.Auth/UserList", "etcdserverpb.Auth/RoleGet", "etcdserverpb.Auth/RoleList",
          "etcdserverpb.Auth/AuthStatus");

  /** A member that says so may be cut off, or about to end: another one may do better. */
  private static final Set<String> MEMBER_FAILURES =
      Set.of(
          EtcdError.NO_LEADER.text(), EtcdError.SERVER_STOPPED.text(), EtcdError.TIMED_OUT.text(), EtcdError.TIMED_OUT_LEADER_FAILURE.text(),
          EtcdError.TIMED_OUT_CONNECTION_LOST.text(), EtcdError.TIMED_OUT_WAITING_FOR_APPLIED_INDEX.text());

  private final Members members;
  private final Login login;
  private final Seen seen;
  private final MethodDescriptor<Q, R> method;
  private final CallOptions options;
  private final Executor executor;
  private final boolean watch;
  private final SynchronizationContext order = new SynchronizationContext((thread, broken) -> LOG.error("a call to the cluster failed", broken));

  // Within the order, but where volatile.
  private final List<Q> kept = new ArrayList<>();
  private Listener<R> listener;
  private Metadata headers;
  private long requested;
  private boolean halfClosed;
  private int attempts;
  private boolean renewed;
  private boolean ended;
  private boolean cancelled;
  private boolean replayable = true;
  private volatile boolean answered;
  private volatile Attempt attempt;

  UpstreamCall(Members members, Login login, Seen seen, MethodDescriptor<Q, R> method, CallOptions options) {
    this.members = members;
    this.login = login;
    this.seen = seen;
    this.method = method;
    this.options = options;
    this.watch = method.getFullMethodName().equals(WATCH);
    this.executor = options.getExecutor() == null ? Runnable::run : options.getExecutor();
  }

  @Override
  public void start(Listener<R> responses, Metadata metadata) {
    order.execute(
        () -> {
          listener = responses;
          headers = metadata;
          find(null);
        });
  }

  private void find(Member besides) {
    Member ready = members.ready(besides);
    if (ready != null) {
      authorize(ready);
      return;
    }
    Deadline deadline = options.getDeadline();
    long nanos = deadline == null ? Long.MAX_VALUE : Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS));
    members.await(besides, nanos).whenComplete((member, none) -> order.execute(() -> found(member, none)));
  }

  private void found(Member member, Throwable none) {
    if (ended) {
      return;
    }
    if (member != null) {
      authorize(member);
    } else {
      Deadline deadline = options.getDeadline();
      end(deadline != null && deadline.isExpired() ? EtcdError.DEADLINE_EXCEEDED.status() : Status.fromThrowable(cause(none)), new Metadata());
    }
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
  }

  private void authorize(Member member) {
    var token = login.token(member);
    if (token.isDone() && !token.isCompletedExceptionally()) {
      begin(member, token.join());
    } else {
      token.whenComplete((granted, refused) -> order.execute(() -> authorized(member, granted, refused)));
    }
  }

  private void authorized(Member member, String granted, Throwable refused) {
    if (ended) {
      return;
    }
    if (refused == null) {
      begin(member, granted);
      return;
    }
    Status status = Status.fromThrowable(cause(refused));
    if (status.getCode() == Status.Code.UNAVAILABLE) {
      members.failed(member, status);
      if (mayGoOn()) {
        attempts++;
        find(member);
        return;
      }
    }
    end(status, new Metadata());
  }

  private boolean mayGoOn() {
    return attempts < members.size() + 2;
  }

  private void begin(Member member, String token) {
    attempts++;
    Metadata own = new Metadata();
    own.merge(headers);
    own.discardAll(TOKEN);
    if (!token.isEmpty()) {
      own.put(TOKEN, token);
    }
    // The thread may be in the middle of another call, with whose context this one must not end.
    Context before = Context.ROOT.attach();
    try {
      Sent sent = new Sent();
      Attempt next = new Attempt(member, token, member.channel().newCall(method, options.withStreamTracerFactory(sent)), sent);
      attempt = next;
      next.call.start(next, own);
      if (requested > 0) {
        next.call.request((int) Math.min(Integer.MAX_VALUE, requested));
      }
      kept.forEach(next.call::sendMessage);
      if (halfClosed) {
        next.call.halfClose();
      }
    } finally {
      Context.ROOT.detach(before);
    }
  }

  private void end(Status status, Metadata trailers) {
    if (!ended) {
      ended = true;
      kept.clear();
      executor.execute(() -> listener.onClose(status, trailers));
    }
  }

  /** An attempt has ended. */
  private void over(Attempt last, Status status, Metadata trailers) {
    if (ended || last != attempt) {
      return;
    }
    boolean lost = status.getCode() == Status.Code.UNAVAILABLE;
    String text = status.getDescription() == null ? "" : status.getDescription();
    if (lost && !cancelled && (!text.startsWith(OF_THE_STORE) || MEMBER_FAILURES.contains(text))) {
      members.failed(last.member, status);
    }
    boolean again = !answered && replayable && !cancelled && mayGoOn();
    if (login.concerns(status)) {
      login.refused(last.token);
      if (again && !renewed) {
        renewed = true;
        attempt = null;
        find(null);
        return;
      }
    } else if (again && lost && (!last.sent.headers || READS.contains(method.getFullMethodName()))) {
      attempt = null;
      find(last.member);
      return;
    }
    end(status, trailers);
  }

  /** A watch was refused because of the agent's token, which its caller knows nothing of. */
  private void watchRefused(Attempt last) {
    login.refused(last.token);
    if (ended || last != attempt) {
      return;
    }
    last.call.cancel("its token had to be renewed", null);
    if (!answered && replayable && !renewed && !cancelled) {
      renewed = true;
      attempt = null;
      find(null);
    } else {
      // Clients open such a stream again, as when a member has ended.
      end(Status.UNAVAILABLE.withDescription("kvorum agent: its token had to be renewed"), new Metadata());
    }
  }

  @Override
  public void request(int messages) {
    order.execute(
        () -> {
          requested += messages;
          if (attempt != null) {
            attempt.call.request(messages);
          }
        });
  }

  @Override
  public void sendMessage(Q message) {
    order.execute(
        () -> {
          if (ended) {
            return;
          }
          if (attempt == null || !answered && replayable) {
            kept.add(message);
          }
          if (attempt != null) {
            attempt.call.sendMessage(message);
            if (kept.size() > KEPT_MESSAGES_MAX) {
              replayable = false;
              kept.clear();
            }
          }
        });
  }

  @Override
  public void halfClose() {
    order.execute(
        () -> {
          halfClosed = true;
          if (attempt != null) {
            attempt.call.halfClose();
          }
        });
  }

  @Override
  public void cancel(String message, Throwable cause) {
    order.execute(
        () -> {
          cancelled = true;
          if (attempt != null) {
            attempt.call.cancel(message, cause);
          } else {
            end(Status.CANCELLED.withDescription(message).withCause(cause), new Metadata());
          }
        });
  }

  @Override
  public boolean isReady() {
    Attempt now = attempt;
    return now != null && now.call.isReady();
  }

  /** Knows whether an attempt has left. */
  private static final class Sent extends ClientStreamTracer.Factory {
    private volatile boolean headers;

    @Override
    public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata metadata) {
      // The transport begins anew by itself when a member says that it has not looked at a call.
      headers = false;
      return new ClientStreamTracer() {
        @Override
        public void outboundHeaders() {
          headers = true;
        }
      };
    }
  }

  private final class Attempt extends Listener<R> {
    private final Member member;
    private final String token;
    private final ClientCall<Q, R> call;
    private final Sent sent;
    private Metadata received = new Metadata();
    private boolean abandoned;

    Attempt(Member member, String token, ClientCall<Q, R> call, Sent sent) {
      this.member = member;
      this.token = token;
      this.call = call;
      this.sent = sent;
    }

    private void answering() {
      if (!answered) {
        answered = true;
        order.execute(kept::clear);
      }
    }

    @Override
    public void onHeaders(Metadata metadata) {
      if (!watch) {
        answering();
      }
      received = metadata;
      if (!watch) {
        listener.onHeaders(metadata);
      }
    }

    @Override
    public void onMessage(R message) {
      if (abandoned) {
        return;
      }
      if (watch && WatchRefusals.in(message, login)) {
        abandoned = true;
        order.execute(() -> watchRefused(this));
        return;
      }
      seen.answer(message);
      if (watch && !answered) {
        listener.onHeaders(received);
      }
      answering();
      listener.onMessage(message);
    }

    @Override
    public void onReady() {
      if (!abandoned) {
        listener.onReady();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!abandoned) {
        order.execute(() -> over(this, status, trailers));
      }
    }
  }
}
