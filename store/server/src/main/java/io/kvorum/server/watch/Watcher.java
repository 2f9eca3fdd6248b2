package io.kvorum.server.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One watch of one stream. Belongs to the watch thread. */
final class Watcher {
  /** Where it gets its events from. */
  enum State {
    /** From the applied batches, through the index. */
    SYNCED,
    /** From history, because it began in the past or its stream could not keep up. */
    BEHIND,
    /** Cancelled because its history is gone; the id stays taken until the client cancels it too. */
    COMPACTED,
    /** Served elsewhere; only its id is taken here. */
    RELAYED,
    /** Cancelled. */
    GONE
  }

  final WatchStream stream;
  final long id;
  final byte[] key;

  /** Null: the single key; empty: no end; else the exclusive end. */
  final byte[] end;

  /** What the client asked for; 0: from the next write on. */
  final long startRevision;

  final Options options;
  State state;

  /** No event below it may be sent; for a watcher that is BEHIND the revision at which to go on reading. */
  long next;

  /** Events of the revision or slice at hand. */
  final List<EncodedEvent> pending = new ArrayList<>(1);

  /** Nothing was sent since the last round of progress notifications. */
  boolean quiet = true;

  /** Where it is in the index. */
  WatcherBag bag;

  int slot;

  /** Served elsewhere, from beginning to end; not one of the core's. */
  boolean relayed;

  Watcher(WatchStream stream, long id, byte[] key, byte[] end, long startRevision, Options options) {
    this.stream = stream;
    this.id = id;
    this.key = key;
    this.end = end;
    this.startRevision = startRevision;
    this.options = options;
  }

  boolean single() {
    return end == null;
  }

  boolean covers(byte[] candidate) {
    if (end == null) {
      return Arrays.equals(key, candidate);
    }
    return Arrays.compareUnsigned(key, candidate) <= 0 && (end.length == 0 || Arrays.compareUnsigned(candidate, end) < 0);
  }

  boolean accepts(boolean delete) {
    return delete ? !options.noDelete : !options.noPut;
  }

  /**
   * @param noPut puts are not wanted
   * @param noDelete deletes are not wanted
   * @param previous events carry the pair before
   * @param fragment large responses may be split
   * @param progress empty responses tell how far the watcher is
   */
  record Options(boolean noPut, boolean noDelete, boolean previous, boolean fragment, boolean progress) {}
}
