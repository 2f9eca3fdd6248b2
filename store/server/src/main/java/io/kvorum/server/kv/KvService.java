package io.kvorum.server.kv;

import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.ApplyMeter;
import io.kvorum.server.apply.KeyReader;
import io.kvorum.server.apply.TxnPath;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.Caller;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongPredicate;

/**
 * The KV service. Writes are checked here as far as they can be without the store, and go through the log. Reads go to the newest published view: serializable ones at once
 * on the calling thread, linearizable ones after a read index. Since the read index answers on the raft thread, only reads of single keys and counts run there; the others
 * run on the readers.
 */
public final class KvService {
  /** A transaction that only reads names none. */
  private static final LongPredicate NO_LEASES = id -> false;

  private final Kernel kernel;
  private final Access access;
  private final MvccStore store;
  private final RevisionWaits waits;
  private final ExecutorService readers;
  private final ApplyMeter meter;

  /**
   * @param kernel what every service needs; its proposals carry the caller
   * @param access who may read what
   * @param waits also registered as a change listener of the state machine
   * @param readers a small pool for linearizable reads of ranges
   */
  public KvService(Kernel kernel, Access access, RevisionWaits waits, ExecutorService readers) {
    this(kernel, access, waits, readers, new ApplyMeter(Duration.ofDays(1)));
  }

  /**
   * As the other constructor.
   *
   * @param meter counts what is read
   */
  public KvService(Kernel kernel, Access access, RevisionWaits waits, ExecutorService readers, ApplyMeter meter) {
    this.meter = meter;
    this.kernel = kernel;
    this.access = access;
    this.store = kernel.store();
    this.waits = waits;
    this.readers = readers;
  }

  /** The service as gRPC binds it. Range answers are encoded from the store's own bytes. */
  public ServerServiceDefinition bind() {
    MethodDescriptor<RangeRequest, RangeReply> range =
        KVGrpc.getRangeMethod().toBuilder(KVGrpc.getRangeMethod().getRequestMarshaller(), RangeReplyMarshaller.INSTANCE).build();
    MethodDescriptor<RangeRequest, RangeReply> stream =
        KVGrpc.getRangeStreamMethod().toBuilder(KVGrpc.getRangeStreamMethod().getRequestMarshaller(), RangeReplyMarshaller.INSTANCE).build();
    return ServerServiceDefinition.builder(KVGrpc.SERVICE_NAME)
        .addMethod(range, ServerCalls.asyncUnaryCall(this::range))
        .addMethod(stream, ServerCalls.asyncServerStreamingCall(this::rangeStream))
        .addMethod(KVGrpc.getPutMethod(), ServerCalls.asyncUnaryCall(this::put))
        .addMethod(KVGrpc.getDeleteRangeMethod(), ServerCalls.asyncUnaryCall(this::deleteRange))
        .addMethod(KVGrpc.getTxnMethod(), ServerCalls.asyncUnaryCall(this::txn))
        .addMethod(KVGrpc.getCompactMethod(), ServerCalls.asyncUnaryCall(this::compact))
        .build();
  }

  /** Range. The reply is closed here once the observer has taken it. */
  public void range(RangeRequest request, StreamObserver<RangeReply> observer) {
    EtcdError refusal = isLearner() && !request.getSerializable() ? EtcdError.NOT_SUPPORTED_FOR_LEARNER : KvChecks.range(request);
    Caller caller = access.caller();
    if (refusal == null) {
      refusal = caller.refusal();
    }
    if (refusal != null) {
      Reply.fail(observer, refusal);
    } else if (request.getSerializable()) {
      read(caller, request, observer, true);
    } else {
      boolean small = request.getRangeEnd().isEmpty() || request.getCountOnly();
      kernel.reads().await(new WhenReadable(observer, small, () -> read(caller, request, observer, false)));
    }
  }

  private void read(Caller caller, RangeRequest request, StreamObserver<RangeReply> observer, boolean mayWait) {
    ReadView view;
    try {
      view = store.view();
    } catch (StoreClosedException stopped) {
      Reply.broken(observer, stopped);
      return;
    }
    EtcdError refusal = access.read(caller, request.getKey(), request.getRangeEnd());
    if (refusal != null) {
      view.close();
      Reply.fail(observer, refusal);
      return;
    }
    try (RangeReply reply = answer(view, request)) {
      if (reply.refusal() != null) {
        Reply.fail(observer, reply.refusal().asRuntimeException());
        return;
      }
      observer.onNext(reply);
      observer.onCompleted();
    } catch (RevisionException.Compacted compacted) {
      Reply.fail(observer, EtcdError.COMPACTED);
    } catch (RevisionException.Future future) {
      if (!mayWait || !mayCome() || !waits.await(request.getRevision(), store::revision, () -> read(caller, request, observer, false))) {
        Reply.fail(observer, EtcdError.FUTURE_REVISION);
      }
    } catch (RuntimeException broken) {
      Reply.broken(observer, broken);
    }
  }

  /** The answer from a view, which it holds open. */
  private RangeReply answer(ReadView view, RangeRequest request) {
    boolean answered = false;
    long began = System.nanoTime();
    try {
      RangeReply reply = RangeReply.of(kernel.header(view.revision()), view, request);
      answered = true;
      return reply;
    } finally {
      meter.range(System.nanoTime() - began, answered, request);
    }
  }

  /** RangeStream: the range in pieces, as fast as the caller takes them. */
  public void rangeStream(RangeRequest request, StreamObserver<RangeReply> observer) {
    EtcdError refusal = KvChecks.range(request);
    Caller caller = access.caller();
    if (refusal == null) {
      refusal = caller.refusal();
    }
    if (refusal != null) {
      Reply.fail(observer, refusal);
      return;
    }
    RangeStream stream =
        new RangeStream(kernel, () -> access.read(caller, request.getKey(), request.getRangeEnd()), request, (ServerCallStreamObserver<RangeReply>) observer);
    if (request.getSerializable()) {
      stream.begin();
    } else {
      kernel.reads().await(new WhenReadable(observer, false, stream::begin));
    }
  }

  /** Whether this member may be behind others. */
  private boolean mayCome() {
    RaftStatus status = kernel.raft().get();
    return !status.isLeader() || status.commit() > status.applied();
  }

  /** Put. */
  public void put(PutRequest request, StreamObserver<PutResponse> observer) {
    EtcdError refusal = KvChecks.put(request);
    if (refusal != null) {
      Reply.fail(observer, refusal);
      return;
    }
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setPut(request),
            new Reply<PutResponse>(observer, answer -> answer.toBuilder().setHeader(kernel.header(answer.getHeader().getRevision())).build()));
  }

  /** DeleteRange. */
  public void deleteRange(DeleteRangeRequest request, StreamObserver<DeleteRangeResponse> observer) {
    EtcdError refusal = KvChecks.deleteRange(request);
    if (refusal != null) {
      Reply.fail(observer, refusal);
      return;
    }
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setDeleteRange(request),
            new Reply<DeleteRangeResponse>(observer, answer -> answer.toBuilder().setHeader(kernel.header(answer.getHeader().getRevision())).build()));
  }

  /** Txn. */
  public void txn(TxnRequest request, StreamObserver<TxnResponse> observer) {
    EtcdError refusal = KvChecks.txn(request, kernel.limits().maxTxnOps());
    if (refusal != null) {
      Reply.fail(observer, refusal);
      return;
    }
    Caller caller = access.caller();
    switch (TxnKind.of(request)) {
      case WRITE ->
          kernel
              .proposals()
              .propose(
                  LogRequest.newBuilder().setTxn(request),
                  new Reply<TxnResponse>(observer, answer -> answer.toBuilder().setHeader(kernel.header(answer.getHeader().getRevision())).build()));
      case LINEARIZABLE_READ -> kernel.reads().await(new WhenReadable(observer, TxnKind.isSmall(request), () -> readTxn(caller, request, observer)));
      case SERIALIZABLE_READ -> readTxn(caller, request, observer);
    }
  }

  private void readTxn(Caller caller, TxnRequest request, StreamObserver<TxnResponse> observer) {
    TxnResponse response;
    long began = System.nanoTime();
    try (ReadView view = store.view()) {
      KeyReader reader = KeyReader.of(view);
      TxnPath path = TxnPath.of(reader, request);
      EtcdError refusal = access.readTxn(caller, request);
      if (refusal == null) {
        refusal = path.refusal(reader, NO_LEASES, view.compactRevision());
      }
      if (refusal != null) {
        Reply.fail(observer, refusal);
        return;
      }
      response = path.run(op -> TxnPath.range(reader, op.getRequestRange())).setHeader(kernel.header(view.revision())).build();
      meter.readTxn(System.nanoTime() - began, path.ops().size(), request.getSerializedSize());
    } catch (RuntimeException broken) {
      Reply.broken(observer, broken);
      return;
    }
    new Reply<TxnResponse>(observer, answer -> answer).done(response);
  }

  /** Compact; a physical one answers when this member has really removed the old versions. */
  public void compact(CompactionRequest request, StreamObserver<CompactionResponse> observer) {
    Reply<CompactionResponse> reply =
        new Reply<>(observer, answer -> answer.toBuilder().setHeader(kernel.header(answer.getHeader().getRevision())).build());
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setCompaction(request),
            new Completion<CompactionResponse>() {
              @Override
              public void done(CompactionResponse answer) {
                if (!request.getPhysical()) {
                  reply.done(answer);
                  return;
                }
                store.physicalCompaction().whenComplete((done, broken) -> reply.done(answer));
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                reply.failed(reason);
              }
            });
  }

  private boolean isLearner() {
    RaftStatus status = kernel.raft().get();
    return !status.membership().isVoter(status.id());
  }

  /** Runs a read when the read index has come: here if it is small, else on the readers. */
  private final class WhenReadable implements Completion<Void> {
    private final StreamObserver<?> observer;
    private final boolean small;
    private final Runnable read;

    WhenReadable(StreamObserver<?> observer, boolean small, Runnable read) {
      this.observer = observer;
      this.small = small;
      this.read = read;
    }

    @Override
    public void done(Void nothing) {
      if (small) {
        read.run();
        return;
      }
      try {
        readers.execute(read);
      } catch (RejectedExecutionException full) {
        Reply.fail(observer, readers.isShutdown() ? EtcdError.SERVER_STOPPED : EtcdError.TOO_MANY_REQUESTS);
      }
    }

    @Override
    public void failed(StatusRuntimeException reason) {
      Reply.fail(observer, reason);
    }
  }
}
