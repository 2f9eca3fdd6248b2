package io.kvorum.mvcc;

/** Told of what a store did, for metrics, on the thread that did it; must not block. */
public interface StoreObserver {
  StoreObserver NONE =
      new StoreObserver() {
        @Override
        public void checkpointed(long nanos) {}

        @Override
        public void compacted(long removed, long nanos) {}
      };

  /** A checkpoint is durable; it took so long, on the apply thread. */
  void checkpointed(long nanos);

  /**
   * A compaction pass has taken the dead revisions out of the index.
   *
   * @param removed how many
   * @param nanos how long the pass took, its pauses and the rewriting of segments included
   */
  void compacted(long removed, long nanos);
}
