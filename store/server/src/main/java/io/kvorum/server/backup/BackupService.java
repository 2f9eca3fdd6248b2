package io.kvorum.server.backup;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.segment.ShippedSegment;
import io.kvorum.protocol.v1.BackupBeginRequest;
import io.kvorum.protocol.v1.BackupBeginResponse;
import io.kvorum.protocol.v1.BackupContentHashRequest;
import io.kvorum.protocol.v1.BackupContentHashResponse;
import io.kvorum.protocol.v1.BackupDigestRequest;
import io.kvorum.protocol.v1.BackupDigestResponse;
import io.kvorum.protocol.v1.BackupEndRequest;
import io.kvorum.protocol.v1.BackupEndResponse;
import io.kvorum.protocol.v1.BackupFile;
import io.kvorum.protocol.v1.BackupGrpc;
import io.kvorum.protocol.v1.BackupKeepAliveRequest;
import io.kvorum.protocol.v1.BackupKeepAliveResponse;
import io.kvorum.protocol.v1.BackupLogChunk;
import io.kvorum.protocol.v1.BackupLogEntry;
import io.kvorum.protocol.v1.BackupLogRequest;
import io.kvorum.protocol.v1.BackupSegmentChunk;
import io.kvorum.protocol.v1.BackupSegmentRequest;
import io.kvorum.raft.Entry;
import io.kvorum.raft.LogView;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Version;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.random.RandomGenerator;

/** kvorum.v1.Backup: frozen states of this member, read by callers that ship them somewhere. What reads files or waits runs on threads of its own, never on those of writers. */
public final class BackupService extends BackupGrpc.BackupImplBase implements AutoCloseable {
  private static final Log LOG = Log.of(BackupService.class);
  static final int CHUNK_BYTES = 256 << 10;
  private static final long LOG_MESSAGE_BYTES = 1 << 20;
  private static final long SWEEP_SECONDS = 5;

  private final Kernel kernel;
  private final MemberState member;
  private final ChainMarks marks;
  private final IntSupplier featureLevel;
  private final Workers workers;
  private final Handles handles;
  private final ChainNews news;

  /**
   * Where the work is done; both are bounded, a refusal is answered with TOO_MANY_REQUESTS.
   *
   * @param senders a thread for each stream
   * @param hashes what reads everything
   */
  public record Workers(Executor senders, Executor hashes, ScheduledExecutorService timer) {}

  /** Tells the other members how far a chain is; they are told once, and those that do not hear it may have a gap later. */
  @FunctionalInterface
  public interface ChainNews {
    void tell(String chain, long index);
  }

  /**
   * @param featureLevel the cluster's
   * @param marks what is kept between backups
   */
  public BackupService(
      Kernel kernel, MemberState member, ChainMarks marks, ChainNews news, IntSupplier featureLevel, Workers workers, RandomGenerator random) {
    this.kernel = kernel;
    this.member = member;
    this.marks = marks;
    this.news = news;
    this.featureLevel = featureLevel;
    this.workers = workers;
    this.handles = new Handles(member, random, System::nanoTime);
    workers.timer.scheduleWithFixedDelay(this::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
  }

  private void sweep() {
    handles.sweep();
    marks.expire();
  }

  @Override
  public void begin(BackupBeginRequest request, StreamObserver<BackupBeginResponse> observer) {
    run(
        workers.senders,
        observer,
        () -> {
          Handles.Begun begun = handles.begin(request.getRun(), request.getAfterIndex(), request.getAfterTerm(), request.getLimitSeconds());
          MemberState.Frozen frozen = begun.handle().frozen;
          LOG.info("began a backup", "index", frozen.index(), "revision", frozen.view().revision(), "after-index", request.getAfterIndex());
          observer.onNext(answer(begun));
          observer.onCompleted();
        });
  }

  private BackupBeginResponse answer(Handles.Begun begun) {
    MemberState.Frozen frozen = begun.handle().frozen;
    BackupBeginResponse.Builder answer =
        BackupBeginResponse.newBuilder()
            .setHeader(kernel.header(frozen.view().revision()))
            .setHandle(begun.handle().id)
            .setLimitSeconds(begun.handle().limitSeconds)
            .setMemberName(member.name())
            .setVersion(Version.kvorum())
            .setFeatureLevel(featureLevel.getAsInt())
            .setIndex(frozen.index())
            .setTerm(frozen.term())
            .setRevision(frozen.view().revision())
            .setCompactRevision(frozen.view().compactRevision())
            .setTimeMillis(System.currentTimeMillis())
            .setGenesis(ByteString.copyFrom(member.genesis()));
    if (begun.checkpoint() != null) {
      answer.setCheckpointIndex(begun.checkpoint().index()).setCheckpointTerm(begun.checkpoint().term()).setCheckpointRevision(begun.checkpoint().revision());
      answer.setCheckpointTimeMillis(member.timeOf(begun.checkpoint().index()));
    }
    for (SnapshotFiles.Entry entry : begun.files()) {
      answer.addFiles(BackupFile.newBuilder().setName(entry.name()).setLength(entry.length()).setCrc32C(entry.crc32c()));
    }
    return answer.build();
  }

  @Override
  public void segment(BackupSegmentRequest request, StreamObserver<BackupSegmentChunk> observer) {
    Flow<BackupSegmentChunk> flow = new Flow<>((ServerCallStreamObserver<BackupSegmentChunk>) observer);
    stream(flow, () -> sendFile(handles.use(request.getHandle()), request.getName(), request.getOffset(), flow));
  }

  private static void sendFile(Handle handle, String name, long from, Flow<BackupSegmentChunk> flow) throws IOException {
    long length = handle.length(name);
    if (from < 0 || from > length) {
      throw Status.OUT_OF_RANGE.withDescription("file " + name + " has " + length + " bytes").asRuntimeException();
    }
    for (long offset = from; offset < length; ) {
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, length - offset));
      while (buffer.hasRemaining()) {
        if (handle.read(name, offset + buffer.position(), buffer) < 0) {
          throw new IOException("file " + name + " is shorter than " + length);
        }
      }
      offset += buffer.flip().remaining();
      flow.send(BackupSegmentChunk.newBuilder().setData(UnsafeByteOperations.unsafeWrap(buffer)).build(), handle.limitSeconds);
      handle.touch();
    }
  }

  @Override
  public void digest(BackupDigestRequest request, StreamObserver<BackupDigestResponse> observer) {
    run(
        workers.hashes,
        observer,
        () -> {
          observer.onNext(digest(handles.use(request.getHandle()), request.getName()));
          observer.onCompleted();
        });
  }

  private static BackupDigestResponse digest(Handle handle, String name) throws IOException {
    long length = handle.length(name);
    MessageDigest digest = sha256();
    ByteBuffer buffer = ByteBuffer.allocate(CHUNK_BYTES);
    for (long offset = 0; offset < length; offset += buffer.limit()) {
      if (handle.read(name, offset, buffer.clear()) < 0) {
        throw new IOException("file " + name + " is shorter than " + length);
      }
      digest.update(buffer.flip().duplicate());
      handle.touch();
    }
    ShippedSegment.Revisions revisions = ShippedSegment.revisions((offset, into) -> handle.read(name, offset, into));
    return BackupDigestResponse.newBuilder()
        .setSha256(UnsafeByteOperations.unsafeWrap(digest.digest()))
        .setFirstRevision(revisions.first())
        .setLastRevision(revisions.last())
        .build();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public void log(BackupLogRequest request, StreamObserver<BackupLogChunk> observer) {
    Flow<BackupLogChunk> flow = new Flow<>((ServerCallStreamObserver<BackupLogChunk>) observer);
    stream(flow, () -> sendLog(handles.use(request.getHandle()), request.getFromIndex(), flow));
  }

  private void sendLog(Handle handle, long from, Flow<BackupLogChunk> flow) {
    long last = handle.frozen.index();
    for (long next = from; next <= last; ) {
      BackupLogChunk.Builder chunk = BackupLogChunk.newBuilder();
      for (Entry entry : entries(next, last)) {
        chunk.addEntries(
            BackupLogEntry.newBuilder()
                .setIndex(entry.index())
                .setTerm(entry.term())
                .setType(entry.type().ordinal())
                .setTimeMillis(entry.timeMillis())
                .setData(UnsafeByteOperations.unsafeWrap(entry.data())));
      }
      next += chunk.getEntriesCount();
      flow.send(chunk.build(), handle.limitSeconds);
      handle.touch();
    }
  }

  private List<Entry> entries(long from, long last) {
    try {
      return member.log().entries(from, last + 1, LOG_MESSAGE_BYTES);
    } catch (LogView.CompactedException gone) {
      throw Handles.gap(gone.getMessage());
    }
  }

  @Override
  public void contentHash(BackupContentHashRequest request, StreamObserver<BackupContentHashResponse> observer) {
    run(
        workers.hashes,
        observer,
        () -> {
          ReadView.HashResult hash = handles.use(request.getHandle()).hash();
          observer.onNext(
              BackupContentHashResponse.newBuilder()
                  .setHash(hash.hash())
                  .setCompactRevision(hash.compactRevision())
                  .setHashRevision(hash.hashRevision())
                  .build());
          observer.onCompleted();
        });
  }

  @Override
  public void keepAlive(BackupKeepAliveRequest request, StreamObserver<BackupKeepAliveResponse> observer) {
    try {
      handles.use(request.getHandle());
    } catch (StatusRuntimeException ended) {
      observer.onError(ended);
      return;
    }
    observer.onNext(BackupKeepAliveResponse.getDefaultInstance());
    observer.onCompleted();
  }

  @Override
  public void end(BackupEndRequest request, StreamObserver<BackupEndResponse> observer) {
    run(
        workers.senders,
        observer,
        () -> {
          if (!request.getChain().isEmpty()) {
            mark(request.getChain(), handles.use(request.getHandle()).frozen.index());
          }
          handles.end(request.getHandle());
          observer.onNext(BackupEndResponse.getDefaultInstance());
          observer.onCompleted();
        });
  }

  private void mark(String chain, long index) {
    if (!ChainMarks.isName(chain)) {
      throw Status.INVALID_ARGUMENT.withDescription("the name of a chain has 1 to 64 letters, digits, dots, dashes and underscores").asRuntimeException();
    }
    marks.set(chain, index);
    news.tell(chain, index);
  }

  /** Work that answers or fails. */
  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private static void run(Executor where, StreamObserver<?> observer, Work work) {
    try {
      where.execute(
          () -> {
            try {
              work.run();
            } catch (IOException | InterruptedException | RuntimeException failed) {
              observer.onError(failure(failed));
            }
          });
    } catch (RejectedExecutionException busy) {
      observer.onError(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }

  private void stream(Flow<?> flow, Work work) {
    try {
      workers.senders.execute(
          () -> {
            try {
              work.run();
              flow.end();
            } catch (IOException | InterruptedException | RuntimeException failed) {
              flow.fail(failure(failed));
            }
          });
    } catch (RejectedExecutionException busy) {
      flow.fail(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }

  private static StatusRuntimeException failure(Exception failed) {
    if (failed instanceof StatusRuntimeException refused) {
      return refused;
    }
    if (failed instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      return EtcdError.SERVER_STOPPED.exception();
    }
    LOG.error("a backup failed", failed);
    return Status.UNKNOWN.withDescription(String.valueOf(failed.getMessage())).asRuntimeException();
  }

  /** Ends all handles; to be called before the store is closed. */
  @Override
  public void close() {
    handles.close();
  }
}
