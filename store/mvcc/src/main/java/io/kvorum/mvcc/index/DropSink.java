package io.kvorum.mvcc.index;

/** Hears which revisions a compaction took out of the index. */
@FunctionalInterface
public interface DropSink {
  DropSink NONE = (main, sub) -> {};

  void dropped(long main, int sub);
}
