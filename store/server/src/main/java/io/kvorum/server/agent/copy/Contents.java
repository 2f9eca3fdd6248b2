package io.kvorum.server.agent.copy;

import io.grpc.Status;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BiConsumer;

/** The contents that the copy has had: the present one, and those that are given up and still used by somebody. Belongs to the follower's thread. */
final class Contents {
  private final LocalCopy.Settings settings;
  private final CopyStore store;
  private final Set<CopyContent> dropped = new HashSet<>();
  private CopyContent present;
  private long clusterId;
  private long made;

  Contents(LocalCopy.Settings settings, CopyStore store) {
    this.settings = settings;
    this.store = store;
  }

  /** Null when there is none. */
  CopyContent present() {
    return present;
  }

  /** Whose the present one is. */
  long clusterId() {
    return clusterId;
  }

  /** Makes a base the present content; {@link #closeOld} the one before, which is returned, null for none. */
  CopyContent become(Base base) throws IOException {
    CopyContent next = CopyContent.of(settings.directory().resolve("copy-" + ++made), base, settings.maxBytes(), settings.historyRevisions());
    CopyContent old = present;
    present = next;
    clusterId = base.header().getClusterId();
    store.replace(next.store());
    return old;
  }

  static void closeOld(CopyContent old) {
    if (old != null) {
      old.close();
    }
  }

  /**
   * There is no content from now on. The one at hand goes once nobody uses it any more.
   *
   * @param told hears why, and what to do then
   */
  void drop(Status reason, CopyLoop loop, BiConsumer<Status, Runnable> told) {
    CopyContent old = present;
    present = null;
    if (old != null) {
      dropped.add(old);
      told.accept(reason, () -> loop.execute(() -> discard(old)));
    }
  }

  private void discard(CopyContent old) {
    if (store.holds(old.store())) {
      store.replace(null);
    }
    if (dropped.remove(old)) {
      old.close();
    }
  }

  void close() {
    store.replace(null);
    if (present != null) {
      dropped.add(present);
      present = null;
    }
    dropped.forEach(CopyContent::close);
    dropped.clear();
  }
}
