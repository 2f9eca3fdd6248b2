package io.kvorum.server.lease;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Ids for leases whose caller names none. Any thread. */
final class LeaseIds {
  private final Lessor lessor;

  /** Guarded by itself. */
  private final SplittableRandom random;

  /**
   * @param lessor which ids are taken
   * @param seed asked here and never again
   */
  LeaseIds(Lessor lessor, RandomGenerator seed) {
    this.lessor = lessor;
    this.random = new SplittableRandom(seed.nextLong());
  }

  /** A positive id that no lease of this member has; should another member choose the same at this moment, the later grant is refused. */
  long free() {
    long id;
    do {
      synchronized (random) {
        id = random.nextLong() & Long.MAX_VALUE;
      }
    } while (id == 0 || lessor.contains(id));
    return id;
  }
}
