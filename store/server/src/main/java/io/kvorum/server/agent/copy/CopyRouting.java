package io.kvorum.server.agent.copy;

import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.watch.RoutedWatchService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Which watches the copy answers: those of one mirrored prefix that ask for nothing at or below its floor, while it is as the cluster is or cut off from it. */
final class CopyRouting implements RoutedWatchService.Routing {
  private static final long REACH_MILLIS = 1_000;

  private final LocalCopy copy;
  private final LongSupplier shown;
  private final LongConsumer told;

  /**
   * @param shown newest revision that callers have seen
   * @param told hears of revisions that callers see
   */
  CopyRouting(LocalCopy copy, LongSupplier shown, LongConsumer told) {
    this.copy = copy;
    this.shown = shown;
    this.told = told;
  }

  @Override
  public boolean local(WatchCreateRequest request) {
    State state = copy.state();
    if (!(state instanceof State.Live) && !(state instanceof State.CutOff)) {
      return false;
    }
    // A base has all pairs of its revision but not all changes: what happened at the floor itself is not the copy's to tell.
    long start = request.getStartRevision();
    byte[] key = request.getKey().isEmpty() ? new byte[1] : request.getKey().toByteArray();
    return copy.covers(key, request.getRangeEnd().toByteArray()) && (start == 0 || start > copy.store().compactRevision());
  }

  @Override
  public long shown() {
    return shown.getAsLong();
  }

  @Override
  public void told(long revision) {
    told.accept(revision);
  }

  @Override
  public void reach(long revision, Runnable then) {
    copy.reach(revision)
        .orTimeout(REACH_MILLIS, TimeUnit.MILLISECONDS)
        .whenComplete(
            (reached, failure) -> {
              if (failure == null) {
                then.run();
              }
            });
  }

  @Override
  public boolean leaderless() {
    return copy.state() instanceof State.CutOff;
  }
}
