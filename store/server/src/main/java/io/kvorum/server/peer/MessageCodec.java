package io.kvorum.server.peer;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.kvorum.protocol.internal.LogEntry;
import io.kvorum.protocol.internal.RaftMessage;
import io.kvorum.protocol.internal.SnapshotDescriptor;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Consensus messages as protobuf and back. The bytes of entries are not copied in either direction: neither side writes to them. */
final class MessageCodec {
  private static final Message.Type[] TYPES = Message.Type.values();
  private static final EntryType[] ENTRY_TYPES = EntryType.values();

  /** What a message without entries counts for in bounds, bytes. */
  private static final int MESSAGE_BYTES = 64;

  private MessageCodec() {}

  /** Bytes that a message counts for in queues and batches; close to its encoded size. */
  static long sizeBytes(Message message) {
    long bytes = MESSAGE_BYTES;
    for (Entry entry : message.entries()) {
      bytes += entry.sizeBytes();
    }
    return bytes;
  }

  static RaftMessage encode(Message message) {
    RaftMessage.Builder out =
        RaftMessage.newBuilder()
            .setType(message.type().ordinal())
            .setFrom(message.from())
            .setTo(message.to())
            .setTerm(message.term())
            .setLogTerm(message.logTerm())
            .setIndex(message.index())
            .setCommit(message.commit())
            .setReject(message.reject())
            .setRejectHint(message.rejectHint())
            .setContext(message.context());
    for (Entry entry : message.entries()) {
      out.addEntries(
          LogEntry.newBuilder()
              .setTerm(entry.term())
              .setIndex(entry.index())
              .setType(entry.type().ordinal())
              .setTimeMillis(entry.timeMillis())
              .setData(UnsafeByteOperations.unsafeWrap(entry.data())));
    }
    if (message.snapshot() != null) {
      out.setSnapshot(encode(message.snapshot()));
    }
    return out.build();
  }

  private static SnapshotDescriptor encode(SnapshotMeta meta) {
    return SnapshotDescriptor.newBuilder()
        .setIndex(meta.index())
        .setTerm(meta.term())
        .addAllVoters(meta.membership().voters())
        .addAllLearners(meta.membership().learners())
        .build();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IllegalArgumentException if a type is unknown: the sender is newer than the agreed feature level
   */
  static Message decode(RaftMessage in) {
    if (in.getType() < 0 || in.getType() >= TYPES.length) {
      throw new IllegalArgumentException("unknown message type " + in.getType());
    }
    List<Entry> entries = new ArrayList<>(in.getEntriesCount());
    for (LogEntry entry : in.getEntriesList()) {
      if (entry.getType() < 0 || entry.getType() >= ENTRY_TYPES.length) {
        throw new IllegalArgumentException("unknown entry type " + entry.getType());
      }
      entries.add(
          new Entry(entry.getTerm(), entry.getIndex(), ENTRY_TYPES[entry.getType()], entry.getTimeMillis(), bytes(entry.getData())));
    }
    return new Message(
        TYPES[in.getType()],
        in.getFrom(),
        in.getTo(),
        in.getTerm(),
        in.getLogTerm(),
        in.getIndex(),
        in.getCommit(),
        in.getReject(),
        in.getRejectHint(),
        in.getContext(),
        entries,
        in.hasSnapshot() ? decode(in.getSnapshot()) : null);
  }

  private static SnapshotMeta decode(SnapshotDescriptor in) {
    Membership membership = new Membership(new TreeSet<>(in.getVotersList()), new TreeSet<>(in.getLearnersList()));
    return new SnapshotMeta(in.getIndex(), in.getTerm(), membership);
  }

  private static byte[] bytes(ByteString string) {
    if (string.isEmpty()) {
      return new byte[0];
    }
    Taker taker = new Taker(string.size());
    try {
      UnsafeByteOperations.unsafeWriteTo(string, taker);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return taker.bytes;
  }

  /** Takes the array out of a string that consists of exactly one, as parsed strings do; copies otherwise. */
  private static final class Taker extends ByteOutput {
    private final int size;
    private byte[] bytes;
    private int filled;

    Taker(int size) {
      this.size = size;
    }

    @Override
    public void writeLazy(byte[] value, int offset, int length) {
      if (bytes == null && offset == 0 && length == size && value.length == size) {
        bytes = value;
        filled = size;
      } else {
        write(value, offset, length);
      }
    }

    @Override
    public void write(byte[] value, int offset, int length) {
      room();
      System.arraycopy(value, offset, bytes, filled, length);
      filled += length;
    }

    @Override
    public void write(byte value) {
      room();
      bytes[filled++] = value;
    }

    @Override
    public void write(ByteBuffer value) {
      room();
      int length = value.remaining();
      value.get(bytes, filled, length);
      filled += length;
    }

    @Override
    public void writeLazy(ByteBuffer value) {
      write(value);
    }

    private void room() {
      if (bytes == null) {
        bytes = new byte[size];
      }
    }
  }
}
