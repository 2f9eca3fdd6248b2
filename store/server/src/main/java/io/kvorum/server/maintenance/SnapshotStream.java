package io.kvorum.server.maintenance;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.kvorum.bbolt.ByteSink;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Version;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.TimeUnit;

/**
 * One caller of Snapshot: bytes go in, messages of 32 KiB go out, no faster than the caller takes them. The thread that writes waits; a caller that takes nothing for ten minutes
 * is given up.
 */
final class SnapshotStream implements ByteSink {
  private static final int BLOB_BYTES = 32 << 10;
  private static final int READY_BYTES = 256 << 10;
  private static final long STALL_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final ServerCallStreamObserver<SnapshotResponse> observer;
  private final MessageDigest digest;
  private ByteBuffer blob = ByteBuffer.allocate(BLOB_BYTES);
  private long remaining;
  private boolean cancelled;

  /** The stream cannot go on. */
  static final class GivenUpException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Status status;

    GivenUpException(Status status) {
      super(status.getDescription());
      this.status = status;
    }

    StatusRuntimeException status() {
      return status.asRuntimeException();
    }
  }

  /** To be made while the call is being taken: later no handler can be set. */
  SnapshotStream(ServerCallStreamObserver<SnapshotResponse> observer) {
    this.observer = observer;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
    observer.setOnReadyThreshold(READY_BYTES);
    observer.setOnReadyHandler(this::wake);
    observer.setOnCancelHandler(this::cancel);
  }

  private synchronized void wake() {
    notifyAll();
  }

  private synchronized void cancel() {
    cancelled = true;
    notifyAll();
  }

  /** @param total bytes of the file */
  void begin(long total) {
    remaining = total;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      int part = Math.min(bytes.remaining(), blob.remaining());
      blob.put(blob.position(), bytes, bytes.position(), part);
      blob.position(blob.position() + part);
      bytes.position(bytes.position() + part);
      if (!blob.hasRemaining()) {
        flush();
      }
    }
  }

  private void flush() throws IOException {
    byte[] full = blob.array();
    int length = blob.position();
    digest.update(full, 0, length);
    remaining -= length;
    send(full, length);
    blob = ByteBuffer.allocate(BLOB_BYTES);
  }

  /** Sends what is left, the digest, and ends the stream. */
  void end() throws IOException {
    if (blob.position() > 0) {
      flush();
    }
    byte[] sum = digest.digest();
    send(sum, sum.length);
    observer.onCompleted();
  }

  private void send(byte[] bytes, int length) throws IOException {
    awaitReady();
    observer.onNext(
        SnapshotResponse.newBuilder()
            .setRemainingBytes(remaining)
            .setBlob(UnsafeByteOperations.unsafeWrap(bytes, 0, length))
            .setVersion(Version.STORAGE)
            .build());
  }

  private synchronized void awaitReady() throws GivenUpException {
    long end = System.nanoTime() + STALL_NANOS;
    while (!cancelled && !observer.isReady()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new GivenUpException(Status.ABORTED.withDescription("the snapshot's reader took nothing for 10 minutes"));
      }
      try {
        wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new GivenUpException(EtcdError.SERVER_STOPPED.status());
      }
    }
    if (cancelled) {
      throw new GivenUpException(Status.CANCELLED.withDescription("the caller went away"));
    }
  }

  void fail(StatusRuntimeException reason) {
    if (!observer.isCancelled()) {
      observer.onError(reason);
    }
  }
}
