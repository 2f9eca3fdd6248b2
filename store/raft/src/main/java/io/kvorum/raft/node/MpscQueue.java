package io.kvorum.raft.node;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A bounded queue for any number of producers and one consumer, in an array. A producer claims a place by advancing the tail and then fills it; the
 * consumer takes places in order and stops at
 * one that is claimed but not filled yet.
 */
final class MpscQueue<T> {
  private final AtomicReferenceArray<T> places;
  private final int mask;
  private final int capacity;
  private final AtomicLong tail = new AtomicLong();

  /** Written by the consumer alone. */
  private final AtomicLong head = new AtomicLong();

  MpscQueue(int capacity) {
    int places = Integer.highestOneBit(Math.max(2, capacity) - 1) << 1;
    this.places = new AtomicReferenceArray<>(places);
    this.mask = places - 1;
    this.capacity = capacity;
  }

  /** Returns false when the queue is full. */
  boolean offer(T item) {
    long place;
    do {
      place = tail.get();
      if (place - head.get() >= capacity) {
        return false;
      }
    } while (!tail.compareAndSet(place, place + 1));
    places.set((int) place & mask, item);
    return true;
  }

  /** The oldest item, or null when there is none. Consumer only. */
  T poll() {
    long place = head.getPlain();
    int slot = (int) place & mask;
    T item = places.get(slot);
    if (item == null) {
      return null;
    }
    places.setPlain(slot, null);
    // The place may be claimed again only after it is empty.
    head.setRelease(place + 1);
    return item;
  }

  boolean isEmpty() {
    return places.get((int) head.get() & mask) == null;
  }

  int size() {
    return (int) Math.max(0, tail.get() - head.get());
  }
}
