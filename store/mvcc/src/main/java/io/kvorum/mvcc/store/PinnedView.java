package io.kvorum.mvcc.store;

import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.RevisionLog;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** One reader's hold on a {@link StoreView}. Closing twice does no harm. */
final class PinnedView implements ReadView {
  private final StoreView view;
  private final Reader reader;
  private final Runnable onClose;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param view already acquired for this reader
   * @param onClose run once
   */
  PinnedView(StoreView view, Runnable onClose) {
    this.view = view;
    this.onClose = onClose;
    this.reader = new Reader(view.index(), view.log()::find);
  }

  @Override
  public long revision() {
    return view.revision();
  }

  @Override
  public long compactRevision() {
    return view.floor();
  }

  @Override
  public RangeResult range(RangeQuery query) {
    return reader.range(query, resolve(query.revision()));
  }

  @Override
  public Record get(byte[] key) {
    return reader.get(key, Reader.NEWEST);
  }

  @Override
  public Record getAt(byte[] key, long revision) {
    Reader.check(revision, view.floor(), view.revision());
    return reader.get(key, revision);
  }

  @Override
  public List<Record> changes(long from, int maxRevisions, long maxBytes) {
    if (from < view.floor()) {
      throw new RevisionException.Compacted(view.floor());
    }
    Collector collector = new Collector(view, maxRevisions, maxBytes);
    view.log().forEach(Math.max(from, 1), view.revision(), collector);
    return collector.changes;
  }

  /** Takes whole main revisions until one of the limits is reached. */
  private static final class Collector implements RevisionLog.Visitor {
    private final StoreView view;
    private final int maxRevisions;
    private final long maxBytes;
    private final List<Record> changes = new ArrayList<>();
    private long main;
    private int revisions;
    private long bytes;

    Collector(StoreView view, int maxRevisions, long maxBytes) {
      this.view = view;
      this.maxRevisions = maxRevisions;
      this.maxBytes = maxBytes;
    }

    @Override
    public boolean visit(Record record) {
      boolean compacted =
          record.main() <= view.floor() && !StoreView.survives(view.index(), view.floor(), record.key(), record.main(), record.sub());
      if (compacted) {
        return true;
      }
      if (record.main() != main) {
        if (revisions > 0 && (revisions >= maxRevisions || bytes >= maxBytes)) {
          return false;
        }
        main = record.main();
        revisions++;
      }
      bytes += record.length();
      // What the visitor is shown lives as long as the call; what is found, as long as the view.
      changes.add(Reader.existing(view.log()::find, record.main(), (int) record.sub()));
      return true;
    }
  }

  @Override
  public void history(RevisionLog.Visitor visitor) {
    view.log()
        .forEach(
            0,
            view.revision(),
            record -> {
              boolean survives = record.main() > view.floor() || StoreView.survives(view.index(), view.floor(), record.key(), record.main(), record.sub());
              return !survives || visitor.visit(record);
            });
  }

  @Override
  public HashResult hash(long revision) {
    if (revision > 0) {
      Reader.check(revision, view.floor(), view.revision());
    }
    return new Hasher(view).hash(revision == 0 ? view.revision() : revision);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      view.release();
      onClose.run();
    }
  }

  private long resolve(long revision) {
    if (revision <= 0) {
      return Reader.NEWEST;
    }
    Reader.check(revision, view.floor(), view.revision());
    return revision;
  }
}
