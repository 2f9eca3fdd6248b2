package io.kvorum.mvcc.store;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** The live keys with a lease, as met when the index was built; fed in key order and revision order within a key. */
final class LeasedKeys {
  private record Leased(byte[] key, long lease) {}

  private final List<Leased> leased = new ArrayList<>();
  private byte[] key;
  private long lease;

  void add(byte[] nextKey, boolean sameKey, boolean tombstone, long nextLease) {
    if (!sameKey) {
      flush();
      key = nextKey;
    }
    lease = tombstone ? 0 : nextLease;
  }

  LeasedKeys done() {
    flush();
    key = null;
    return this;
  }

  void forEach(BiConsumer<byte[], Long> keyAndLease) {
    leased.forEach(one -> keyAndLease.accept(one.key, one.lease));
  }

  private void flush() {
    if (key != null && lease != 0) {
      leased.add(new Leased(key, lease));
    }
  }
}
