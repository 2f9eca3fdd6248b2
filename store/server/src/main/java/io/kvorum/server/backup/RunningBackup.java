package io.kvorum.server.backup;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.v1.BackupBeginRequest;
import io.kvorum.protocol.v1.BackupBeginResponse;
import io.kvorum.protocol.v1.BackupContentHashRequest;
import io.kvorum.protocol.v1.BackupContentHashResponse;
import io.kvorum.protocol.v1.BackupDigestRequest;
import io.kvorum.protocol.v1.BackupDigestResponse;
import io.kvorum.protocol.v1.BackupEndRequest;
import io.kvorum.protocol.v1.BackupFile;
import io.kvorum.protocol.v1.BackupKeepAliveRequest;
import io.kvorum.protocol.v1.BackupLogChunk;
import io.kvorum.protocol.v1.BackupLogRequest;
import io.kvorum.protocol.v1.BackupSegmentChunk;
import io.kvorum.protocol.v1.BackupSegmentRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Iterator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/** A member's frozen state, as its reader has it: kept alive until closed, its content hash being computed meanwhile. One thread. */
final class RunningBackup implements AutoCloseable {
  private static final int LIMIT_SECONDS = 120;
  private static final long ALIVE_SECONDS = 30;
  private static final int STREAM_ATTEMPTS = 3;
  private static final long FREEZE_SECONDS = 60;

  final BackupBeginResponse begun;
  private final Source source;
  private final ScheduledExecutorService alive;
  private final ListenableFuture<BackupContentHashResponse> hash;

  private RunningBackup(Source source, BackupBeginResponse begun) {
    this.source = source;
    this.begun = begun;
    this.hash = source.beside().contentHash(BackupContentHashRequest.newBuilder().setHandle(begun.getHandle()).build());
    this.alive = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("backup-alive").factory());
    alive.scheduleWithFixedDelay(this::touch, ALIVE_SECONDS, ALIVE_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * @param run its name, the same when it is run again
   * @param afterIndex 0 for a full backup
   */
  static RunningBackup begin(Source source, String run, long afterIndex, long afterTerm) throws IOException {
    BackupBeginRequest request =
        BackupBeginRequest.newBuilder().setRun(run).setAfterIndex(afterIndex).setAfterTerm(afterTerm).setLimitSeconds(LIMIT_SECONDS).build();
    try {
      return new RunningBackup(source, source.calls().withDeadlineAfter(FREEZE_SECONDS, TimeUnit.SECONDS).begin(request));
    } catch (StatusRuntimeException failed) {
      throw source.failure(failed);
    }
  }

  private void touch() {
    try {
      source.calls().keepAlive(BackupKeepAliveRequest.newBuilder().setHandle(begun.getHandle()).build());
    } catch (StatusRuntimeException failed) {
      // The next call with the handle says why.
    }
  }

  /** Whole content of a small file. */
  byte[] read(BackupFile file) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(file.getLength()));
    read(file, content::put, bytes -> {});
    return content.array();
  }

  /** Copies a file. */
  void copy(BackupFile file, FileChannel into, LongConsumer progress) throws IOException {
    read(
        file,
        data -> {
          while (data.hasRemaining()) {
            into.write(data);
          }
        },
        progress);
  }

  /** Takes bytes in order. */
  private interface Sink {
    void write(ByteBuffer data) throws IOException;
  }

  /** A connection that breaks on the way is taken up again where it broke. */
  private void read(BackupFile file, Sink sink, LongConsumer progress) throws IOException {
    CRC32C crc = new CRC32C();
    long offset = 0;
    for (int attempt = 1; offset < file.getLength(); attempt++) {
      BackupSegmentRequest request = BackupSegmentRequest.newBuilder().setHandle(begun.getHandle()).setName(file.getName()).setOffset(offset).build();
      try {
        Iterator<BackupSegmentChunk> chunks = source.streams().segment(request);
        while (chunks.hasNext()) {
          ByteBuffer data = chunks.next().getData().asReadOnlyByteBuffer();
          offset += data.remaining();
          progress.accept(data.remaining());
          crc.update(data.duplicate());
          sink.write(data);
        }
      } catch (StatusRuntimeException failed) {
        IOException failure = source.failure(failed);
        if (attempt >= STREAM_ATTEMPTS || !(failure instanceof Source.LostException)) {
          throw failure;
        }
      }
    }
    if (offset != file.getLength() || (int) crc.getValue() != file.getCrc32C()) {
      throw new Source.LostException(source.endpoint + ": file " + file.getName() + " did not come as it is");
    }
  }

  BackupDigestResponse digest(BackupFile file) throws IOException {
    try {
      return source.streams().digest(BackupDigestRequest.newBuilder().setHandle(begun.getHandle()).setName(file.getName()).build());
    } catch (StatusRuntimeException failed) {
      throw source.failure(failed);
    }
  }

  /** Takes messages with entries. */
  interface LogSink {
    void take(BackupLogChunk chunk) throws IOException;
  }

  /** The log from an index up to the frozen entry. */
  void log(long from, LogSink sink) throws IOException {
    if (from > begun.getIndex()) {
      return;
    }
    long next = from;
    try {
      Iterator<BackupLogChunk> chunks = source.streams().log(BackupLogRequest.newBuilder().setHandle(begun.getHandle()).setFromIndex(from).build());
      while (chunks.hasNext()) {
        BackupLogChunk chunk = chunks.next();
        sink.take(chunk);
        next += chunk.getEntriesCount();
      }
    } catch (StatusRuntimeException failed) {
      throw source.failure(failed);
    }
    if (next != begun.getIndex() + 1) {
      throw new Source.LostException(source.endpoint + ": the log ended at " + (next - 1) + " instead of " + begun.getIndex());
    }
  }

  /** What the member says its content is; waits for it. */
  BackupContentHashResponse contentHash() throws IOException {
    try {
      return hash.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException failed) {
        throw source.failure(failed);
      }
      throw new IOException(e.getCause());
    }
  }

  /** The backup is complete: the member and those that it tells keep the log behind it for the chain. */
  void complete(String chain) {
    end(chain);
  }

  private void end(String chain) {
    try {
      source.calls().end(BackupEndRequest.newBuilder().setHandle(begun.getHandle()).setChain(chain).build());
    } catch (StatusRuntimeException failed) {
      // It ends by itself; what was to be kept may be cut, which the next delta finds out.
    }
  }

  @Override
  public void close() {
    alive.shutdownNow();
    hash.cancel(true);
    end("");
  }
}
