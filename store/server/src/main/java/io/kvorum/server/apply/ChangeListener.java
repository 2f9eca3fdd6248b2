package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import java.util.List;

/** Hears of applied changes, on the raft thread, right after they were published. Must not block. */
public interface ChangeListener {
  /**
   * One apply batch is visible now.
   *
   * @param revision the newest revision
   * @param changes all changes of the batch in revision order; empty when only other state changed
   */
  void published(long revision, List<Change> changes);

  /** The floor moved. */
  void compacted(long compactRevision);

  /** The whole state was replaced by a snapshot: anything may have changed, revisions included. */
  void replaced(long revision);
}
