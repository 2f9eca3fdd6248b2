package io.kvorum.mvcc.store;

import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.util.ArrayList;
import java.util.List;

/** The apply thread's reading of records, those included that no published view covers yet. What it returns is valid until {@link #release}. */
final class AppendedRecords implements Reader.Records {
  private final RevisionLog log;
  private final List<RevisionLog.View> opened = new ArrayList<>();
  private StoreView published;
  private long appendedMain;
  private int appendedSub;
  private long coveredMain;
  private int coveredSub;

  AppendedRecords(RevisionLog log) {
    this.log = log;
  }

  /** Tells the newest published view, which serves all that it covers; the caller keeps it open until the next call. */
  void published(StoreView view) {
    published = view;
  }

  void append(long main, int sub, byte[] key, byte[] encoded, boolean tombstone, long lease) {
    log.append(main, sub, key, encoded, tombstone, lease);
    appendedMain = main;
    appendedSub = sub;
  }

  @Override
  public Record find(long main, int sub) {
    if (main <= published.revision()) {
      return published.log().find(main, sub);
    }
    boolean covered = !opened.isEmpty() && (main < coveredMain || main == coveredMain && sub <= coveredSub);
    if (!covered) {
      opened.add(log.view());
      coveredMain = appendedMain;
      coveredSub = appendedSub;
    }
    return opened.getLast().find(main, sub);
  }

  void release() {
    if (!opened.isEmpty()) {
      opened.forEach(RevisionLog.View::close);
      opened.clear();
    }
  }
}
