package io.kvorum.server.watch;

import static io.kvorum.server.watch.CoreRig.SECOND;
import static io.kvorum.server.watch.CoreRig.on;
import static io.kvorum.server.watch.CoreRig.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Progress, fragments, slow readers and lost batches. */
class WatchBacklogTest extends OneStream {
  @Test
  void progressRequestAnswersWhenAllWatchersAreCaughtUp() {
    rig.core.progress(stream);
    assertThat(sink.received).isEmpty();
    rig.create(stream, on("a"));
    rig.core.progress(stream);
    List<WatchResponse> got = sink.take();
    assertThat(got.getFirst().getCreated()).isTrue();
    assertThat(got.getLast().getWatchId()).isEqualTo(-1);
    assertThat(got.getLast().getEventsCount()).isZero();
    assertThat(got.getLast().getHeader().getRevision()).isEqualTo(1);
    rig.create(stream, on("a").setStartRevision(3));
    created(1);
    rig.core.progress(stream);
    assertThat(sink.received).isEmpty();
    rig.write(put("b", "1"));
    rig.write(put("b", "1"));
    rig.core.progress(stream);
    assertThat(sink.takeOne().getHeader().getRevision()).isEqualTo(3);
  }

  @Test
  void progressRequestIsSilentWhileAWatcherReadsHistory() {
    rig.write(put("a", "1"));
    rig.create(stream, on("a").setStartRevision(1));
    created(0);
    rig.core.progress(stream);
    assertThat(sink.received).isEmpty();
    rig.catchUp();
    sink.takeOne();
    rig.core.progress(stream);
    assertThat(sink.takeOne().getHeader().getRevision()).isEqualTo(2);
  }

  @Test
  void progressIsNotifiedEachIntervalAndSkippedOnceAfterAnEvent() {
    CoreRig timed = new CoreRig(1 << 20, 10 * SECOND);
    WatchStream s = timed.stream(sink);
    timed.create(s, on("a").setProgressNotify(true));
    timed.create(s, on("a").setProgressNotify(true).setStartRevision(100));
    timed.create(s, on("b"));
    sink.take();
    timed.core.tick(timed.now += 9 * SECOND);
    assertThat(sink.received).isEmpty();
    timed.core.tick(timed.now += 2 * SECOND);
    WatchResponse progress = sink.takeOne();
    assertThat(progress.getWatchId()).isZero();
    assertThat(progress.getHeader().getRevision()).isEqualTo(1);
    assertThat(progress.getCreated() || progress.getCanceled()).isFalse();
    timed.write(put("a", "1"));
    sink.takeOne();
    timed.core.tick(timed.now += 11 * SECOND);
    assertThat(sink.received).isEmpty();
    assertThat(timed.core.tick(timed.now)).isBetween(10 * SECOND, 11 * SECOND);
    timed.core.tick(timed.now += 11 * SECOND);
    assertThat(sink.takeOne().getHeader().getRevision()).isEqualTo(2);
    timed.core.cancel(s, 0);
    timed.core.cancel(s, 1);
    assertThat(timed.core.tick(timed.now)).isEqualTo(ProgressTimer.NEVER);
  }

  @Test
  void progressIntervalIsAtLeastATenthOfASecond() {
    CoreRig timed = new CoreRig(1 << 20, 1);
    WatchStream s = timed.stream(sink);
    timed.create(s, on("a").setProgressNotify(true));
    assertThat(timed.core.tick(0)).isBetween(SECOND / 10, SECOND * 11 / 100);
  }

  @Test
  void largeResponsesAreSplitForThoseWhoAsk() {
    CoreRig small = new CoreRig(200, 600 * SECOND);
    WatchStream s = small.stream(sink);
    small.create(s, on("a", "z").setFragment(true));
    small.create(s, on("a", "z"));
    sink.take();
    CoreRig.Op[] puts = IntStream.range(0, 10).mapToObj(i -> put("k" + i, "x".repeat(40))).toArray(CoreRig.Op[]::new);
    small.write(puts);
    List<WatchResponse> got = sink.take();
    List<WatchResponse> parts = got.stream().filter(r -> r.getWatchId() == 0).toList();
    assertThat(parts).hasSizeGreaterThan(2);
    assertThat(parts.subList(0, parts.size() - 1)).allMatch(WatchResponse::getFragment).allMatch(r -> r.getSerializedSize() < 200 && r.getEventsCount() > 0);
    assertThat(parts.getLast().getFragment()).isFalse();
    assertThat(parts).allMatch(r -> r.getHeader().getRevision() == 2);
    assertThat(parts.stream().flatMap(r -> events(r).stream())).hasSize(10).isSorted();
    assertThat(got.stream().filter(r -> r.getWatchId() == 1)).singleElement().matches(r -> !r.getFragment() && r.getEventsCount() == 10);
    small.write(put("k", "y".repeat(500)));
    assertThat(sink.take()).hasSize(2).noneMatch(WatchResponse::getFragment);
  }

  @Test
  void aSlowReaderIsBoundedAndLosesNothing() {
    rig.create(stream, on("a"));
    created(0);
    sink.credit = 0;
    int writes = rig.bounds.streamResponses() + 3_000;
    for (int i = 0; i < writes; i++) {
      rig.write(put("a", "v" + i));
      rig.catchUp();
    }
    assertThat(stream.backlogResponses()).isEqualTo(rig.bounds.streamResponses());
    assertThat(rig.core.behindCount()).isEqualTo(1);
    sink.credit = Long.MAX_VALUE;
    stream.drain();
    rig.catchUp();
    assertThat(rig.core.behindCount()).isZero();
    rig.write(put("a", "last"));
    List<Long> revisions = sink.take().stream().flatMap(r -> r.getEventsList().stream()).map(e -> e.getKv().getModRevision()).toList();
    assertThat(revisions).isEqualTo(IntStream.range(2, writes + 3).mapToObj(Long::valueOf).toList());
  }

  @Test
  void bytesOfASlowReaderAreBounded() {
    rig.create(stream, on("a"));
    created(0);
    sink.credit = 0;
    for (int i = 0; i < 10; i++) {
      rig.write(put("a", "x".repeat(400_000)));
    }
    assertThat(stream.backlogBytes()).isLessThanOrEqualTo(rig.bounds.streamBytes());
    assertThat(rig.core.behindCount()).isEqualTo(1);
  }

  @Test
  void aSlowReaderWhoseHistoryIsCompactedIsCancelledAfterWhatItHas() {
    rig.create(stream, on("a"));
    created(0);
    sink.credit = 0;
    for (int i = 0; i < 10; i++) {
      rig.write(put("a", "x".repeat(400_000)));
    }
    rig.compact(10);
    sink.credit = Long.MAX_VALUE;
    stream.drain();
    rig.catchUp();
    List<WatchResponse> got = sink.take();
    assertThat(got.getFirst().getEvents(0).getKv().getModRevision()).isEqualTo(2);
    assertThat(got.getLast().getCanceled()).isTrue();
    assertThat(got.getLast().getCompactRevision()).isEqualTo(10);
    assertThat(got.subList(0, got.size() - 1)).noneMatch(WatchResponse::getCanceled);
  }

  @Test
  void requestsAreHeldBackWhileTheBacklogIsFull() {
    rig.create(stream, on("a"));
    created(0);
    sink.credit = 0;
    for (int i = 0; i < rig.bounds.streamResponses(); i++) {
      rig.write(put("a", ""));
    }
    stream.requestDone();
    stream.requestDone();
    assertThat(sink.requested).isZero();
    sink.credit = Long.MAX_VALUE;
    stream.drain();
    assertThat(sink.requested).isEqualTo(2);
  }

  @Test
  void aLostBatchIsFoundInHistory() {
    rig.create(stream, on("a", "z"));
    created(0);
    rig.write(put("a", "1"));
    rig.apply(put("b", "1"));
    rig.apply(put("c", "1"));
    rig.lose();
    rig.write(put("d", "1"));
    rig.catchUp();
    List<String> all = sink.take().stream().flatMap(r -> events(r).stream()).toList();
    assertThat(all).containsExactly("+a@2", "+b@3", "+c@4", "+d@5");
  }

  @Test
  void aReplacedStateResynchronisesOrCancels() {
    rig.create(stream, on("a", "z"));
    WatchStream other = rig.stream(new FakeSink());
    created(0);
    rig.write(put("a", "1"));
    rig.apply(put("b", "1"));
    rig.apply(put("c", "1"));
    rig.lose();
    rig.core.lost(rig.store.revision());
    rig.catchUp();
    assertThat(sink.take().stream().flatMap(r -> events(r).stream())).containsExactly("+a@2", "+b@3", "+c@4");
    rig.apply(put("b", "2"));
    rig.apply(put("b", "3"));
    rig.lose();
    rig.store.compact(6);
    rig.store.publish();
    rig.core.lost(rig.store.revision());
    rig.catchUp();
    assertThat(sink.takeOne().getCompactRevision()).isEqualTo(6);
    assertThat(other.closed()).isFalse();
  }

  @Test
  void anotherContentCancelsThoseWhoMissedSomethingAndNobodyElse() {
    rig.create(stream, on("a", "z"));
    rig.create(stream, on("a", "z").setStartRevision(7));
    rig.create(stream, on("a", "z").setStartRevision(8));
    sink.take();
    for (int i = 0; i < 6; i++) {
      rig.apply(put("a", "" + i));
    }
    rig.lose();
    rig.core.rebased(7);
    List<WatchResponse> cancelled = sink.take();
    assertThat(cancelled).extracting(WatchResponse::getWatchId).containsExactly(0L, 1L);
    assertThat(cancelled).allMatch(response -> response.getCanceled() && response.getCompactRevision() == 7 && response.getHeader().getRevision() == 0);
    rig.write(put("b", "1"));
    assertThat(events(sink.takeOne())).containsExactly("+b@8");
  }

  @Test
  void beginsAtThePublishedRevisionWhenNobodyWatchedBefore() {
    rig.apply(put("a", "1"));
    rig.lose();
    rig.create(stream, on("a"));
    assertThat(created(0).getHeader().getRevision()).isEqualTo(2);
    rig.write(put("a", "2"));
    assertThat(events(sink.takeOne())).containsExactly("+a@3");
  }

  @Test
  void closingAStreamForgetsItsWatchers() {
    rig.create(stream, on("a"));
    rig.create(stream, on("a").setStartRevision(1));
    rig.core.close(stream, null);
    assertThat(rig.core.watcherCount()).isZero();
    assertThat(rig.core.streamCount()).isZero();
    sink.take();
    rig.write(put("a", "1"));
    rig.catchUp();
    assertThat(sink.received).isEmpty();
    assertThat(rig.store.leakedViews()).isZero();
  }
}
