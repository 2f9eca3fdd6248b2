package io.kvorum.server.maintenance;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.kvorum.bbolt.BoltWriter;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Version;
import io.kvorum.server.logging.Log;
import io.kvorum.server.migrate.FrozenState;
import io.kvorum.server.migrate.SnapshotWriter;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/**
 * Sends this member's state as an etcd snapshot: a bbolt file, then its SHA-256. It is the state as of one log entry, whatever is written meanwhile; the history that it needs
 * stays pinned until the stream ends. Nothing is kept in memory or on disk but the page that is being filled.
 */
public final class Snapshots {
  private static final Log LOG = Log.of(Snapshots.class);

  private final FrozenState.Source source;
  private final Executor senders;
  private final LongConsumer durations;

  /**
   * @param senders one thread for each stream; bounded, a refusal is answered with TOO_MANY_REQUESTS
   * @param durations told the nanoseconds of each snapshot that was sent whole
   */
  public Snapshots(FrozenState.Source source, Executor senders, LongConsumer durations) {
    this.source = source;
    this.senders = senders;
    this.durations = durations;
  }

  /** Begins one stream; to be called while the call is being taken. */
  void send(ServerCallStreamObserver<SnapshotResponse> observer) {
    SnapshotStream stream = new SnapshotStream(observer);
    try {
      senders.execute(() -> run(stream));
    } catch (RejectedExecutionException busy) {
      observer.onError(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }

  private void run(SnapshotStream stream) {
    long started = System.nanoTime();
    CompletableFuture<FrozenState> freezing = source.freeze();
    try (FrozenState state = freezing.get()) {
      BoltWriter writer = SnapshotWriter.of(state);
      BoltWriter.Layout layout = writer.plan();
      LOG.info("sending database snapshot to client", "total-bytes", layout.bytes(), "revision", state.view().revision(), "storage-version", Version.STORAGE);
      stream.begin(layout.bytes());
      writer.write(layout, stream);
      stream.end();
      long nanos = System.nanoTime() - started;
      durations.accept(nanos);
      LOG.info("successfully sent database snapshot to client", "total-bytes", layout.bytes(), "took-ms", TimeUnit.NANOSECONDS.toMillis(nanos));
    } catch (InterruptedException stopping) {
      freezing.thenAccept(FrozenState::close);
      stream.fail(EtcdError.SERVER_STOPPED.exception());
    } catch (ExecutionException stopping) {
      stream.fail(EtcdError.SERVER_STOPPED.exception());
    } catch (SnapshotStream.GivenUpException given) {
      LOG.warn("failed to send database snapshot to client", "error", given.getMessage());
      stream.fail(given.status());
    } catch (IOException | RuntimeException broken) {
      LOG.error("failed to send database snapshot to client", broken);
      stream.fail(failure(broken));
    }
  }

  private static StatusRuntimeException failure(Exception broken) {
    return Status.UNKNOWN.withDescription(String.valueOf(broken.getMessage())).asRuntimeException();
  }
}
