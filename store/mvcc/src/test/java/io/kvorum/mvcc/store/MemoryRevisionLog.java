package io.kvorum.mvcc.store;

import io.kvorum.mvcc.EncodedRecord;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A revision log in memory with a {@link Disk} that outlives it. Rewrites drop a random part of what is dead, as lazily as real segments do, and keep a dead
 * tombstone while an older record of its key stays.
 */
final class MemoryRevisionLog implements RevisionLog {
  record Position(long main, int sub) implements Comparable<Position> {
    @Override
    public int compareTo(Position other) {
      int order = Long.compare(main, other.main);
      return order != 0 ? order : Integer.compare(sub, other.sub);
    }
  }

  record Stored(byte[] key, byte[] encoded, boolean tombstone, long lease) {}

  /** What survives a crash: the state of the last checkpoint. */
  static final class Disk {
    private Manifest manifest;
    private ConcurrentSkipListMap<Position, Stored> records = new ConcurrentSkipListMap<>();
  }

  private final Disk disk;
  private final Random random;
  private final AtomicInteger openViews = new AtomicInteger();
  private volatile ConcurrentSkipListMap<Position, Stored> records;
  private volatile Position newest = new Position(0, 0);
  private Manifest manifest;
  private volatile boolean closed;

  MemoryRevisionLog(Disk disk, long seed) {
    this.disk = disk;
    this.random = new Random(seed);
    this.manifest = disk.manifest;
    this.records = new ConcurrentSkipListMap<>(disk.records);
    if (!records.isEmpty()) {
      newest = records.lastKey();
    }
  }

  @Override
  public void append(long main, int sub, byte[] key, byte[] encoded, boolean tombstone, long lease) {
    Position position = new Position(main, sub);
    if (position.compareTo(newest) <= 0) {
      throw new IllegalArgumentException("revisions must ascend: " + position + " after " + newest);
    }
    records.put(position, new Stored(key.clone(), encoded, tombstone, lease));
    newest = position;
  }

  @Override
  public View view() {
    if (closed) {
      throw new IllegalStateException("closed");
    }
    openViews.incrementAndGet();
    return new MemoryView(records.headMap(newest, true));
  }

  int openViews() {
    return openViews.get();
  }

  private final class MemoryView implements View {
    private final NavigableMap<Position, Stored> held;
    private boolean open = true;

    MemoryView(NavigableMap<Position, Stored> held) {
      this.held = held;
    }

    @Override
    public Record find(long main, int sub) {
      checkOpen();
      Position position = new Position(main, sub);
      Stored stored = held.get(position);
      return stored == null ? null : record(position, stored);
    }

    private Record record(Position position, Stored stored) {
      return new EncodedRecord(position.main, position.sub, stored.tombstone, MemorySegment.ofArray(stored.encoded));
    }

    @Override
    public void forEach(long from, long to, Visitor visitor) {
      checkOpen();
      for (var entry : held.entrySet()) {
        if (entry.getKey().main < from) {
          continue;
        }
        if (entry.getKey().main > to || !visitor.visit(record(entry.getKey(), entry.getValue()))) {
          return;
        }
      }
    }

    @Override
    public void forEachKey(KeyVisitor visitor) {
      checkOpen();
      List<Position> positions = new ArrayList<>(held.keySet());
      positions.sort(
          (a, b) -> {
            int order = Arrays.compareUnsigned(held.get(a).key, held.get(b).key);
            return order != 0 ? order : a.compareTo(b);
          });
      for (Position position : positions) {
        Stored stored = held.get(position);
        visitor.visit(stored.key, position.main, position.sub, stored.tombstone, stored.lease);
      }
    }

    private void checkOpen() {
      if (!open) {
        throw new IllegalStateException("the view is closed");
      }
    }

    @Override
    public void close() {
      checkOpen();
      open = false;
      openViews.decrementAndGet();
    }
  }

  @Override
  public long sizeBytes() {
    return records.values().stream().mapToLong(stored -> stored.encoded.length).sum();
  }

  @Override
  public void checkpoint(Manifest next) {
    manifest = next;
    disk.manifest = next;
    disk.records = new ConcurrentSkipListMap<>(records);
  }

  @Override
  public Manifest manifest() {
    return manifest;
  }

  /** At once, on the caller's thread; the caller must not write meanwhile. */
  @Override
  public CompletableFuture<Void> rewrite(Liveness liveness, boolean all) {
    Set<Position> dropped = new HashSet<>();
    Set<String> kept = new HashSet<>();
    records.forEach(
        (position, stored) -> {
          boolean live = liveness.isLive(stored.key, position.main, position.sub);
          boolean drop = !live && (all || random.nextInt(3) > 0);
          String key = Arrays.toString(stored.key);
          if (drop && !(stored.tombstone && kept.contains(key))) {
            dropped.add(position);
          } else {
            kept.add(key);
          }
        });
    ConcurrentSkipListMap<Position, Stored> next = new ConcurrentSkipListMap<>(records);
    next.keySet().removeAll(dropped);
    records = next;
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public boolean spaceLow() {
    return false;
  }

  @Override
  public boolean wantsCheckpoint() {
    return false;
  }

  @Override
  public SnapshotFiles snapshot() {
    return new SnapshotFiles() {
      @Override
      public MvccStore.Checkpoint checkpoint() {
        return new MvccStore.Checkpoint(
            manifest.index(), manifest.term(), manifest.revision(), manifest.machineState());
      }

      @Override
      public List<Entry> entries() {
        return List.of();
      }

      @Override
      public int read(String name, long offset, ByteBuffer into) {
        return -1;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public List<String> missing(List<SnapshotFiles.Entry> offered) {
    return offered.stream().map(SnapshotFiles.Entry::name).toList();
  }

  /** The next install brings this state, whatever directory it names. */
  void offer(Disk snapshot) {
    offered = snapshot;
  }

  private Disk offered;

  @Override
  public void install(Path receivedDirectory) throws IOException {
    if (offered == null) {
      throw new IOException("nothing offered");
    }
    manifest = offered.manifest;
    disk.manifest = offered.manifest;
    disk.records = new ConcurrentSkipListMap<>(offered.records);
    records = new ConcurrentSkipListMap<>(offered.records);
    newest = records.isEmpty() ? new Position(0, 0) : records.lastKey();
  }

  @Override
  public void close() {
    closed = true;
  }
}
