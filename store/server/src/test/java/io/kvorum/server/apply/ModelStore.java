package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.WriteTxn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;

/** The history as plain sorted maps, every version kept: slow, obviously right, and in memory. One lock for everything. */
public final class ModelStore implements MvccStore {
  private final TreeMap<byte[], List<ModelRecord>> keys = new TreeMap<>(Arrays::compareUnsigned);
  private final List<ModelRecord> log = new ArrayList<>();
  private Checkpoint checkpoint;
  private long written = 1;
  private long floor = -1;
  private long published = 1;
  private long publishedFloor = -1;
  public volatile boolean spaceLow;
  public volatile boolean wantsCheckpoint;
  private final AtomicInteger openViews = new AtomicInteger();

  public ModelStore() {
    this(Checkpoint.NONE);
  }

  public ModelStore(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  @Override
  public synchronized Checkpoint checkpoint() {
    return checkpoint;
  }

  @Override
  public WriteTxn begin() {
    return new Txn();
  }

  @Override
  public synchronized void compact(long revision) {
    if (revision > written) {
      throw new RevisionException.Future();
    }
    if (revision <= floor) {
      throw new RevisionException.Compacted(floor);
    }
    floor = revision;
  }

  @Override
  public synchronized void publish() {
    published = written;
    publishedFloor = floor;
  }

  @Override
  public synchronized ReadView view() {
    openViews.incrementAndGet();
    return new View(published, publishedFloor);
  }

  @Override
  public synchronized long revision() {
    return published;
  }

  @Override
  public synchronized long compactRevision() {
    return publishedFloor;
  }

  @Override
  public CompletableFuture<Void> physicalCompaction() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<Void> defragment() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public synchronized long sizeBytes() {
    return log.stream().mapToLong(Record::length).sum();
  }

  @Override
  public long sizeInUseBytes() {
    return sizeBytes();
  }

  @Override
  public boolean spaceLow() {
    return spaceLow;
  }

  @Override
  public boolean wantsCheckpoint() {
    return wantsCheckpoint;
  }

  @Override
  public synchronized void checkpoint(long index, long term, byte[] machineState) {
    checkpoint = new Checkpoint(index, term, written, machineState);
  }

  @Override
  public synchronized void forEachLeased(BiConsumer<byte[], Long> keyAndLease) {
    keys.forEach(
        (key, versions) -> {
          ModelRecord newest = versions.getLast();
          if (!newest.tombstone() && newest.lease() != 0) {
            keyAndLease.accept(key, newest.lease());
          }
        });
  }

  @Override
  public SnapshotFiles snapshot() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> missing(List<SnapshotFiles.Entry> offered) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void install(Path receivedDirectory) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}

  private ModelRecord newestAt(byte[] key, long revision) {
    List<ModelRecord> versions = keys.getOrDefault(key, List.of());
    for (int i = versions.size() - 1; i >= 0; i--) {
      if (versions.get(i).main() <= revision) {
        return versions.get(i).tombstone() ? null : versions.get(i);
      }
    }
    return null;
  }

  /** Whether compaction at a floor keeps a record: all above the floor, and of each key the newest at or below it, tombstones only at the floor itself. */
  private boolean survives(ModelRecord record, long floorAt) {
    if (record.main() > floorAt) {
      return true;
    }
    List<ModelRecord> versions = keys.get(record.key());
    int next = versions.indexOf(record) + 1;
    boolean newest = next == versions.size() || versions.get(next).main() > floorAt;
    return newest && (!record.tombstone() || record.main() == floorAt);
  }

  private RangeResult select(RangeQuery query, long newest, long readFloor, long asOf) {
    if (query.revision() > newest) {
      throw new RevisionException.Future();
    }
    if (query.revision() > 0 && query.revision() < readFloor) {
      throw new RevisionException.Compacted(readFloor);
    }
    long at = query.revision() <= 0 ? asOf : query.revision();
    List<Record> found = new ArrayList<>();
    for (byte[] key : within(query.key(), query.end())) {
      ModelRecord record = newestAt(key, at);
      if (record != null) {
        found.add(record);
      }
    }
    int count = found.size();
    if (query.countOnly()) {
      return new RangeResult(List.of(), count, false);
    }
    boolean more = query.limit() > 0 && count > query.limit();
    return new RangeResult(more ? found.subList(0, (int) query.limit()) : found, count, more);
  }

  private List<byte[]> within(byte[] key, byte[] end) {
    if (end == null || end.length == 0) {
      return keys.containsKey(key) ? List.of(key) : List.of();
    }
    if (end.length == 1 && end[0] == 0) {
      return List.copyOf(keys.tailMap(key, true).keySet());
    }
    return Arrays.compareUnsigned(key, end) >= 0 ? List.of() : List.copyOf(keys.subMap(key, true, end, false).keySet());
  }

  private final class Txn implements WriteTxn {
    private final long before = written;
    private final List<Change> changes = new ArrayList<>();

    @Override
    public long revision() {
      return changes.isEmpty() ? before : before + 1;
    }

    @Override
    public boolean changed() {
      return !changes.isEmpty();
    }

    @Override
    public Change put(byte[] key, byte[] value, long lease) {
      synchronized (ModelStore.this) {
        ModelRecord previous = newestAt(key, before + 1);
        long create = previous == null ? before + 1 : previous.createRevision();
        long version = previous == null ? 1 : previous.version() + 1;
        return add(new ModelRecord(before + 1, changes.size(), false, key, value, create, version, lease), previous);
      }
    }

    @Override
    public void copy(Change change) {
      throw new UnsupportedOperationException("this model makes its own changes");
    }

    @Override
    public void advance(long revision) {
      throw new UnsupportedOperationException("this model makes its own changes");
    }

    private Change add(ModelRecord record, ModelRecord previous) {
      keys.computeIfAbsent(record.key(), any -> new ArrayList<>()).add(record);
      log.add(record);
      Change change =
          new Change(
              record.tombstone(),
              record.key(),
              record.main(),
              (int) record.sub(),
              record.toByteArray(),
              record.createRevision(),
              record.version(),
              record.lease(),
              previous == null ? 0 : previous.lease());
      changes.add(change);
      return change;
    }

    @Override
    public List<Change> deleteRange(byte[] key, byte[] end) {
      synchronized (ModelStore.this) {
        List<Change> made = new ArrayList<>();
        for (byte[] candidate : within(key, end)) {
          ModelRecord previous = newestAt(candidate, before + 1);
          if (previous != null) {
            made.add(add(new ModelRecord(before + 1, changes.size(), true, candidate, new byte[0], 0, 0, 0), previous));
          }
        }
        return made;
      }
    }

    @Override
    public RangeResult range(RangeQuery query) {
      synchronized (ModelStore.this) {
        return select(query, before, floor, before + 1);
      }
    }

    @Override
    public Record get(byte[] key) {
      synchronized (ModelStore.this) {
        return newestAt(key, before + 1);
      }
    }

    @Override
    public List<Change> end() {
      synchronized (ModelStore.this) {
        written = revision();
        return List.copyOf(changes);
      }
    }
  }

  private final class View implements ReadView {
    private final long at;
    private final long viewFloor;
    private boolean open = true;

    View(long at, long viewFloor) {
      this.at = at;
      this.viewFloor = viewFloor;
    }

    @Override
    public long revision() {
      return at;
    }

    @Override
    public long compactRevision() {
      return viewFloor;
    }

    @Override
    public RangeResult range(RangeQuery query) {
      synchronized (ModelStore.this) {
        return select(query, at, viewFloor, at);
      }
    }

    @Override
    public Record get(byte[] key) {
      synchronized (ModelStore.this) {
        return newestAt(key, at);
      }
    }

    @Override
    public Record getAt(byte[] key, long revision) {
      synchronized (ModelStore.this) {
        List<Record> records = select(new RangeQuery(key, null, revision, 0, false), at, viewFloor, at).records();
        return records.isEmpty() ? null : records.getFirst();
      }
    }

    @Override
    public void history(RevisionLog.Visitor visitor) {
      List<ModelRecord> kept;
      synchronized (ModelStore.this) {
        kept = log.stream().filter(record -> record.main() <= at && survives(record, viewFloor)).toList();
      }
      for (ModelRecord record : kept) {
        if (!visitor.visit(record)) {
          return;
        }
      }
    }

    @Override
    public List<Record> changes(long from, int maxRevisions, long maxBytes) {
      if (from < viewFloor) {
        throw new RevisionException.Compacted(viewFloor);
      }
      synchronized (ModelStore.this) {
        List<Record> found = new ArrayList<>();
        int revisions = 0;
        long bytes = 0;
        for (ModelRecord record : log) {
          if (record.main() < from || record.main() > at || !survives(record, viewFloor)) {
            continue;
          }
          boolean first = found.isEmpty() || found.getLast().main() != record.main();
          if (first && (revisions == maxRevisions || bytes >= maxBytes)) {
            break;
          }
          revisions += first ? 1 : 0;
          bytes += record.length();
          found.add(record);
        }
        return found;
      }
    }

    @Override
    public HashResult hash(long revision) {
      synchronized (ModelStore.this) {
        CRC32C crc = new CRC32C();
        log.stream().filter(record -> record.main() <= at).forEach(record -> crc.update(record.toByteArray()));
        return new HashResult((int) crc.getValue(), viewFloor, at);
      }
    }

    @Override
    public void close() {
      synchronized (ModelStore.this) {
        if (open) {
          open = false;
          openViews.decrementAndGet();
        }
      }
    }
  }

  /** Views that stay open although there was time to close them: a view is closed behind the answer, so a client may look first. */
  public int leakedViews() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (openViews.get() != 0 && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    return openViews.get();
  }
}
