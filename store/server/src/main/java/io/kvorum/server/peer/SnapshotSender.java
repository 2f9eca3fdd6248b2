package io.kvorum.server.peer;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.protocol.internal.SnapshotChunk;
import io.kvorum.protocol.internal.SnapshotDone;
import io.kvorum.protocol.internal.SnapshotFile;
import io.kvorum.protocol.internal.SnapshotOffer;
import io.kvorum.protocol.internal.SnapshotPart;
import io.kvorum.protocol.internal.SnapshotReply;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Sends the newest checkpoint to followers that need a snapshot, each on a thread and connection of its own, so that messages are never behind
 * files. At most one transfer for each follower.
 *
 * <ol>
 *   <li>Pin the newest checkpoint. It may be newer than what consensus announced: the message that is sent along names what is really shipped.
 *       None, or an older one: give up.
 *   <li>Offer its files; the follower answers with those that it lacks.
 *   <li>Send them in chunks, no faster than the follower takes them and than the throttle allows.
 *   <li>Say done, wait for the answer, report the outcome to consensus.
 * </ol>
 */
public final class SnapshotSender implements Consumer<Message>, AutoCloseable {
  private static final Log LOG = Log.of(SnapshotSender.class);
  static final int CHUNK_BYTES = 256 << 10;
  private static final long STALL_SECONDS = 30;
  private static final long INSTALL_SECONDS = 600;
  private static final long CLOSE_MILLIS = 2_000;

  private final PeerIdentity self;
  private final PeerTransport transport;
  private final PeerChannels channels;
  private final MvccStore store;
  private final RaftNode node;
  private final long bytesPerSecond;
  private final FailPoint failPoint;
  private final Map<Long, Thread> underWay = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /**
   * @param transport knows where members are
   * @param bytesPerSecond of one transfer; 0 for as fast as it goes
   * @param failPoint reached with {@code peer.snapshot.offered}, {@code .chunk-sent} and {@code .all-sent}
   */
  public SnapshotSender(
      PeerIdentity self,
      PeerTransport transport,
      PeerChannels channels,
      MvccStore store,
      RaftNode node,
      long bytesPerSecond,
      FailPoint failPoint) {
    this.self = self;
    this.transport = transport;
    this.channels = channels;
    this.store = store;
    this.node = node;
    this.bytesPerSecond = bytesPerSecond;
    this.failPoint = failPoint;
  }

  /** Starts a transfer unless one to that member is under way. Never blocks. */
  @Override
  public void accept(Message message) {
    Thread thread = Thread.ofPlatform().daemon().name("kvorum-snapshot-" + MemberIds.hex(message.to())).unstarted(() -> run(message));
    if (!closed && underWay.putIfAbsent(message.to(), thread) == null) {
      thread.start();
    }
  }

  /** Breaks off what is under way and waits for it, two seconds at most; to be called before the store is closed. */
  @Override
  public void close() {
    closed = true;
    try {
      for (Thread thread : underWay.values()) {
        thread.interrupt();
        thread.join(CLOSE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Message message) {
    boolean installed = false;
    PeerMeter.Transfers transfers = transport.meter().of(message.to()).sent;
    long began = transfers.began();
    try {
      installed = transfer(message);
    } catch (IOException | StatusException | StatusRuntimeException | TimeoutException e) {
      LOG.warn("failed to send database snapshot", "remote-peer-id", MemberIds.hex(message.to()), "error", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.error("failed to send database snapshot", e, "remote-peer-id", MemberIds.hex(message.to()));
    } finally {
      transfers.ended(began, installed);
      underWay.remove(message.to());
      node.reportSnapshot(message.to(), installed);
    }
  }

  private boolean transfer(Message message) throws IOException, StatusException, InterruptedException, TimeoutException {
    PeerUrls.Endpoint endpoint = transport.endpoint(message.to());
    if (endpoint == null) {
      throw new IOException("the member's address is unknown");
    }
    ManagedChannel channel = channels.open(endpoint);
    try (SnapshotFiles files = store.snapshot()) {
      SnapshotMeta meta = metaOf(files.checkpoint());
      if (meta.index() < message.snapshot().index() || meta.index() == 0) {
        throw new IOException("the newest checkpoint is at index " + meta.index() + ", needed is " + message.snapshot().index());
      }
      BlockingClientCall<SnapshotPart, SnapshotReply> call =
          ClientCalls.blockingBidiStreamingCall(
              ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(self.headers(message.to()))),
              PeerGrpc.getSnapshotMethod(),
              CallOptions.DEFAULT);
      try {
        return send(call, files, withMeta(message, meta));
      } finally {
        call.cancel("transfer ended", null);
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private static SnapshotMeta metaOf(MvccStore.Checkpoint checkpoint) throws InvalidProtocolBufferException {
    MachineState state = MachineState.parseFrom(checkpoint.machineState());
    return new SnapshotMeta(checkpoint.index(), checkpoint.term(), Members.viewOf(state).membership());
  }

  private static Message withMeta(Message m, SnapshotMeta meta) {
    return new Message(
        m.type(), m.from(), m.to(), m.term(), m.logTerm(), m.index(), m.commit(), m.reject(), m.rejectHint(), m.context(), m.entries(), meta);
  }

  private boolean send(BlockingClientCall<SnapshotPart, SnapshotReply> call, SnapshotFiles files, Message message)
      throws IOException, StatusException, InterruptedException, TimeoutException {
    String peer = MemberIds.hex(message.to());
    SnapshotOffer.Builder offer = SnapshotOffer.newBuilder().setMessage(MessageCodec.encode(message));
    for (SnapshotFiles.Entry entry : files.entries()) {
      offer.addFiles(SnapshotFile.newBuilder().setName(entry.name()).setLength(entry.length()).setCrc32C(entry.crc32c()));
    }
    write(call, SnapshotPart.newBuilder().setOffer(offer).build());
    failPoint.reached("peer.snapshot.offered");
    SnapshotReply answer = read(call, STALL_SECONDS);
    List<SnapshotFiles.Entry> wanted = files.entries().stream().filter(e -> answer.getWantedList().contains(e.name())).toList();
    long bytes = wanted.stream().mapToLong(SnapshotFiles.Entry::length).sum();
    LOG.info("sending database snapshot", "snapshot-index", message.snapshot().index(), "remote-peer-id", peer, "files", wanted.size(), "bytes", bytes);
    Throttle throttle = new Throttle(bytesPerSecond);
    for (SnapshotFiles.Entry entry : wanted) {
      sendFile(call, files, entry, throttle);
    }
    failPoint.reached("peer.snapshot.all-sent");
    write(call, SnapshotPart.newBuilder().setDone(SnapshotDone.getDefaultInstance()).build());
    boolean installed = read(call, INSTALL_SECONDS).getInstalled();
    LOG.info("sent database snapshot", "snapshot-index", message.snapshot().index(), "remote-peer-id", peer, "bytes", bytes, "installed", installed);
    return installed;
  }

  private void sendFile(
      BlockingClientCall<SnapshotPart, SnapshotReply> call, SnapshotFiles files, SnapshotFiles.Entry entry, Throttle throttle)
      throws IOException, StatusException, InterruptedException, TimeoutException {
    long offset = 0;
    while (offset < entry.length()) {
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, entry.length() - offset));
      while (buffer.hasRemaining()) {
        if (files.read(entry.name(), offset + buffer.position(), buffer) < 0) {
          throw new IOException("file " + entry.name() + " is shorter than " + entry.length());
        }
      }
      ByteString data = UnsafeByteOperations.unsafeWrap(buffer.flip());
      write(call, SnapshotPart.newBuilder().setChunk(SnapshotChunk.newBuilder().setName(entry.name()).setOffset(offset).setData(data)).build());
      offset += data.size();
      throttle.sent(data.size());
      failPoint.reached("peer.snapshot.chunk-sent");
    }
  }

  private static void write(BlockingClientCall<SnapshotPart, SnapshotReply> call, SnapshotPart part)
      throws StatusException, InterruptedException, TimeoutException {
    if (!call.write(part, STALL_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the transfer was ended by the receiver");
    }
  }

  private static SnapshotReply read(BlockingClientCall<SnapshotPart, SnapshotReply> call, long seconds)
      throws IOException, StatusException, InterruptedException, TimeoutException {
    SnapshotReply reply = call.read(seconds, TimeUnit.SECONDS);
    if (reply == null) {
      throw new IOException("the transfer was ended by the receiver");
    }
    return reply;
  }

  /** Keeps the average rate since the start of the transfer below a bound. */
  private static final class Throttle {
    private final long bytesPerSecond;
    private final long startNanos = System.nanoTime();
    private long sent;

    Throttle(long bytesPerSecond) {
      this.bytesPerSecond = bytesPerSecond;
    }

    void sent(long bytes) {
      sent += bytes;
      if (bytesPerSecond > 0) {
        long dueNanos = (long) (sent * 1e9 / bytesPerSecond);
        long ahead = dueNanos - (System.nanoTime() - startNanos);
        if (ahead > 0) {
          LockSupport.parkNanos(ahead);
        }
      }
    }
  }
}
