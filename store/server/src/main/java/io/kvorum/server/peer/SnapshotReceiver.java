package io.kvorum.server.peer;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.protocol.internal.SnapshotChunk;
import io.kvorum.protocol.internal.SnapshotFile;
import io.kvorum.protocol.internal.SnapshotOffer;
import io.kvorum.protocol.internal.SnapshotPart;
import io.kvorum.protocol.internal.SnapshotReply;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Message;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;

/**
 * Receives snapshots, one at a time: a new offer ends the transfer before it (the sender has given up, or there is a new leader). All disk work is
 * done on one thread; eight chunks at most are on their way to it.
 *
 * <ol>
 *   <li>Offer: ask the store which files it lacks, keep what an interrupted transfer left complete, answer with the rest.
 *   <li>Chunks: written in order; each finished file is checked against its checksum and forced.
 *   <li>Done: force the directory, hand it to consensus, which installs or deletes it; answer with the outcome.
 * </ol>
 *
 * <p>A crash before the installation leaves a directory that the next start deletes.
 */
public final class SnapshotReceiver implements AutoCloseable {
  private static final Log LOG = Log.of(SnapshotReceiver.class);
  private static final int CHUNKS_AHEAD = 8;

  private final Path memberDirectory;
  private final MvccStore store;
  private final RaftNode node;
  private final FailPoint failPoint;
  private final ExecutorService disk =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("kvorum-snapshot-receive").factory());

  // Used by the disk thread alone.
  private Transfer current;
  private IncomingFiles kept;
  private long directories;

  /**
   * @param memberDirectory the directories {@code incoming-N} are made in it; leftovers are deleted now
   * @param failPoint reached with {@code peer.snapshot.offer-received}, {@code .chunk-written}, {@code .before-sync}, {@code .before-install} and
   *     {@code .installed}
   */
  public SnapshotReceiver(Path memberDirectory, MvccStore store, RaftNode node, FailPoint failPoint) throws IOException {
    this.memberDirectory = memberDirectory;
    this.store = store;
    this.node = node;
    this.failPoint = failPoint;
    IncomingFiles.deleteLeftovers(memberDirectory);
  }

  /**
   * A member begins a transfer.
   *
   * @param transfers counts it
   */
  StreamObserver<SnapshotPart> open(long from, StreamObserver<SnapshotReply> out, PeerMeter.Transfers transfers) {
    ServerCallStreamObserver<SnapshotReply> observer = (ServerCallStreamObserver<SnapshotReply>) out;
    Transfer transfer = new Transfer(from, observer, transfers);
    observer.disableAutoRequest();
    observer.setOnCancelHandler(() -> run(() -> transfer.end(Status.CANCELLED)));
    observer.request(CHUNKS_AHEAD);
    return transfer;
  }

  private void run(Runnable task) {
    try {
      disk.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("the receiver has stopped");
    }
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    disk.shutdownNow();
  }

  private final class Transfer implements StreamObserver<SnapshotPart> {
    private final long from;
    private final ServerCallStreamObserver<SnapshotReply> out;
    private final PeerMeter.Transfers transfers;
    private final long began;
    private Message message;
    private boolean ended;

    Transfer(long from, ServerCallStreamObserver<SnapshotReply> out, PeerMeter.Transfers transfers) {
      this.transfers = transfers;
      this.began = transfers.began();
      this.from = from;
      this.out = out;
    }

    @Override
    public void onNext(SnapshotPart part) {
      run(() -> take(part));
    }

    @Override
    public void onError(Throwable reason) {
      run(() -> end(Status.CANCELLED));
    }

    @Override
    public void onCompleted() {
      run(() -> end(Status.CANCELLED));
    }

    private void take(SnapshotPart part) {
      if (ended) {
        return;
      }
      try {
        switch (part.getPartCase()) {
          case OFFER -> offer(part.getOffer());
          case CHUNK -> chunk(part.getChunk());
          case DONE -> done();
          case PART_NOT_SET -> throw new IOException("unknown part of a snapshot");
        }
        out.request(1);
      } catch (IOException | RuntimeException e) {
        LOG.warn("failed to receive database snapshot", "remote-peer-id", MemberIds.hex(from), "error", String.valueOf(e.getMessage()));
        end(Status.ABORTED.withDescription(String.valueOf(e.getMessage())));
      }
    }

    private void offer(SnapshotOffer offer) throws IOException {
      if (current != null) {
        current.end(Status.ABORTED.withDescription("another snapshot is offered"));
      }
      message = MessageCodec.decode(offer.getMessage());
      if (message.type() != Message.Type.SNAPSHOT || message.snapshot() == null || message.from() != from) {
        throw new IOException("an offer without a snapshot");
      }
      failPoint.reached("peer.snapshot.offer-received");
      current = this;
      if (kept == null) {
        kept = new IncomingFiles(memberDirectory.resolve("incoming-" + ++directories), failPoint);
      }
      List<SnapshotFiles.Entry> offered = offer.getFilesList().stream().map(Transfer::entry).toList();
      var missing = store.missing(offered).stream().collect(Collectors.toSet());
      List<SnapshotFiles.Entry> wanted = kept.expect(offered.stream().filter(e -> missing.contains(e.name())).toList());
      LOG.info(
          "receiving database snapshot",
          "snapshot-index", message.snapshot().index(),
          "remote-peer-id", MemberIds.hex(from),
          "files-offered", offered.size(),
          "files-wanted", wanted.size());
      out.onNext(SnapshotReply.newBuilder().addAllWanted(wanted.stream().map(SnapshotFiles.Entry::name).toList()).build());
    }

    private static SnapshotFiles.Entry entry(SnapshotFile file) {
      return new SnapshotFiles.Entry(file.getName(), file.getLength(), file.getCrc32C());
    }

    private void chunk(SnapshotChunk chunk) throws IOException {
      if (current != this) {
        throw new IOException("a chunk before the offer");
      }
      kept.write(chunk.getName(), chunk.getOffset(), chunk.getData().asReadOnlyByteBuffer());
    }

    private void done() throws IOException {
      if (current != this) {
        throw new IOException("done before the offer");
      }
      if (!kept.seal()) {
        throw new IOException("files are missing");
      }
      Path directory = kept.directory();
      // From here on the directory belongs to consensus.
      kept = null;
      failPoint.reached("peer.snapshot.before-install");
      node.receiveSnapshot(message, directory).whenComplete((installed, failure) -> run(() -> answer(failure == null && installed)));
    }

    private void answer(boolean installed) {
      if (!ended) {
        failPoint.reached("peer.snapshot.installed");
        LOG.info("applied snapshot", "snapshot-index", message.snapshot().index(), "installed", installed);
        out.onNext(SnapshotReply.newBuilder().setInstalled(installed).build());
        out.onCompleted();
        forget(installed);
      }
    }

    private void end(Status status) {
      if (ended) {
        return;
      }
      if (status.getCode() != Status.Code.CANCELLED) {
        out.onError(status.asRuntimeException());
      }
      forget(false);
    }

    private void forget(boolean installed) {
      ended = true;
      transfers.ended(began, installed);
      if (current == this) {
        current = null;
        try {
          if (kept != null) {
            kept.closeFile();
          }
        } catch (IOException e) {
          LOG.warn("failed to close a received file", "error", e.getMessage());
        }
      }
    }
  }
}
