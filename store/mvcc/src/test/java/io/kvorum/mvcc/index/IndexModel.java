package io.kvorum.mvcc.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The naive index: every version of every key in a sorted map. */
final class IndexModel {
  record Version(long main, int sub, boolean tombstone) {}

  final NavigableMap<byte[], List<Version>> keys = new TreeMap<>(Arrays::compareUnsigned);

  IndexModel copy() {
    IndexModel copy = new IndexModel();
    keys.forEach((key, versions) -> copy.keys.put(key, new ArrayList<>(versions)));
    return copy;
  }

  void add(byte[] key, long main, int sub, boolean tombstone) {
    keys.computeIfAbsent(key, k -> new ArrayList<>()).add(new Version(main, sub, tombstone));
  }

  Version at(byte[] key, long revision) {
    Version found = null;
    for (Version version : keys.getOrDefault(key, List.of())) {
      if (version.main <= revision) {
        found = version;
      }
    }
    return found;
  }

  List<byte[]> live(byte[] from, byte[] to, long revision) {
    List<byte[]> live = new ArrayList<>();
    for (byte[] key : keys.keySet()) {
      if ((from == null || Arrays.compareUnsigned(key, from) >= 0) && (to == null || Arrays.compareUnsigned(key, to) < 0)) {
        Version version = at(key, revision);
        if (version != null && !version.tombstone) {
          live.add(key);
        }
      }
    }
    return live;
  }

  /** etcd's rule: keep what is above the floor, and the newest at or below it if it is a put or a tombstone exactly there. */
  void compact(long floor) {
    keys.values()
        .forEach(
            versions -> {
              Version newest = null;
              for (Version version : versions) {
                if (version.main <= floor) {
                  newest = version;
                }
              }
              Version kept = newest;
              versions.removeIf(v -> v.main <= floor && (v != kept || v.tombstone && v.main < floor));
            });
    keys.values().removeIf(List::isEmpty);
  }

  boolean liveAfterCompaction(byte[] key, Version version) {
    return keys.getOrDefault(key, List.of()).contains(version);
  }
}
