package io.kvorum.server.watch;

import java.util.Arrays;

/** The synced watchers of one key or interval; adding and removing take constant time because each watcher knows its slot. */
final class WatcherBag {
  private Watcher[] watchers = new Watcher[1];
  private int size;

  void add(Watcher watcher) {
    if (size == watchers.length) {
      watchers = Arrays.copyOf(watchers, size * 2);
    }
    watchers[size] = watcher;
    watcher.bag = this;
    watcher.slot = size++;
  }

  void remove(Watcher watcher) {
    Watcher last = watchers[--size];
    watchers[watcher.slot] = last;
    last.slot = watcher.slot;
    watchers[size] = null;
    watcher.bag = null;
  }

  int size() {
    return size;
  }

  Watcher get(int slot) {
    return watchers[slot];
  }
}
