package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;

/** The newest durable manifest and the records streams of its segments, pinned. Reading is for one thread at a time. */
final class SegmentSnapshot implements SnapshotFiles {
  private final Checkpointer.Durable durable;
  private final byte[] manifest;
  private final List<Entry> entries = new ArrayList<>();
  private final Map<String, Segment> segments = new HashMap<>();

  /** The stream that was read last; files are read one after the other. */
  private RecordStream stream;

  private String streamName;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** @param durable retained for this snapshot */
  SegmentSnapshot(Checkpointer.Durable durable) {
    this.durable = durable;
    this.manifest = durable.manifest().encode();
    MessageDigest digest = RecordStream.sha256();
    digest.update(manifest);
    CRC32C crc = new CRC32C();
    crc.update(manifest);
    entries.add(new Entry(FileNames.SHIPPED_MANIFEST + RecordStream.name(digest), manifest.length, (int) crc.getValue()));
    for (Segment segment : durable.segments()) {
      SegmentInfo info = segment.info();
      segments.put(info.streamName(), segment);
      entries.add(new Entry(info.streamName(), info.streamBytes(), info.streamCrc()));
    }
  }

  @Override
  public MvccStore.Checkpoint checkpoint() {
    RevisionLog.Manifest facts = durable.manifest().facts();
    return new MvccStore.Checkpoint(facts.index(), facts.term(), facts.revision(), facts.machineState());
  }

  @Override
  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  @Override
  public int read(String name, long offset, ByteBuffer into) throws IOException {
    if (closed.get()) {
      throw new IOException("the snapshot is closed");
    }
    if (offset < 0) {
      throw new IllegalArgumentException("offset " + offset);
    }
    if (name.equals(entries.getFirst().name())) {
      int step = (int) Math.min(into.remaining(), manifest.length - offset);
      if (step <= 0) {
        return -1;
      }
      into.put(manifest, (int) offset, step);
      return step;
    }
    if (!name.equals(streamName)) {
      Segment segment = segments.get(name);
      if (segment == null) {
        throw new IOException("the snapshot has no file " + name);
      }
      stream = new RecordStream(segment.table(), segment.bytes());
      streamName = name;
    }
    return stream.read(offset, into);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      durable.release();
    }
  }
}
