package io.kvorum.server.watch;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The synced watchers: those of one key in a hash map, those of a range in an interval tree. */
final class WatcherIndex {
  private final Map<ByteString, WatcherBag> keys = new HashMap<>();
  private final IntervalTree<WatcherBag> ranges = new IntervalTree<>();
  private int size;

  int size() {
    return size;
  }

  void add(Watcher watcher) {
    WatcherBag bag =
        watcher.single()
            ? keys.computeIfAbsent(UnsafeByteOperations.unsafeWrap(watcher.key), k -> new WatcherBag())
            : ranges.getOrAdd(watcher.key, treeEnd(watcher), WatcherBag::new);
    bag.add(watcher);
    size++;
  }

  void remove(Watcher watcher) {
    WatcherBag bag = watcher.bag;
    bag.remove(watcher);
    size--;
    if (bag.size() == 0) {
      if (watcher.single()) {
        keys.remove(UnsafeByteOperations.unsafeWrap(watcher.key));
      } else {
        ranges.remove(watcher.key, treeEnd(watcher));
      }
    }
  }

  /** Passes each bag whose watchers cover the key. The index must not be changed meanwhile. */
  void match(byte[] key, Consumer<WatcherBag> visitor) {
    if (!keys.isEmpty()) {
      WatcherBag exact = keys.get(UnsafeByteOperations.unsafeWrap(key));
      if (exact != null) {
        visitor.accept(exact);
      }
    }
    ranges.stab(key, visitor);
  }

  private static byte[] treeEnd(Watcher watcher) {
    return watcher.end.length == 0 ? null : watcher.end;
  }
}
