package io.kvorum.server.watch;

import static io.kvorum.server.watch.CoreRig.SECOND;
import static io.kvorum.server.watch.CoreRig.bytes;
import static io.kvorum.server.watch.CoreRig.delete;
import static io.kvorum.server.watch.CoreRig.on;
import static io.kvorum.server.watch.CoreRig.put;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest.FilterType;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WatchCoreTest {
  private final CoreRig rig = new CoreRig();
  private final FakeSink sink = new FakeSink();
  private final WatchStream stream = rig.stream(sink);

  private static List<String> events(WatchResponse response) {
    return response.getEventsList().stream()
        .map(e -> (e.getType() == Event.EventType.PUT ? "+" : "-") + e.getKv().getKey().toStringUtf8() + "@" + e.getKv().getModRevision())
        .toList();
  }

  private WatchResponse created(long id) {
    WatchResponse response = sink.takeOne();
    assertThat(response.getCreated()).isTrue();
    assertThat(response.getCanceled()).isFalse();
    assertThat(response.getWatchId()).isEqualTo(id);
    return response;
  }

  private void refused(String reason) {
    WatchResponse response = sink.takeOne();
    assertThat(response.getCreated()).isTrue();
    assertThat(response.getCanceled()).isTrue();
    assertThat(response.getWatchId()).isEqualTo(-1);
    assertThat(response.getCancelReason()).isEqualTo(reason);
    assertThat(response.getCompactRevision()).isZero();
    assertThat(response.getHeader().getRevision()).isEqualTo(rig.store.revision());
  }

  @Test
  void createdTellsTheCurrentRevision() {
    rig.write(put("a", "1"));
    rig.create(stream, on("a"));
    assertThat(created(0).getHeader().getRevision()).isEqualTo(2);
    assertThat(sink.received).isEmpty();
  }

  @Test
  void oneResponsePerRevisionWithItsRevision() {
    rig.create(stream, on("a", "z"));
    created(0);
    rig.apply(put("a", "1"), put("b", "1"));
    rig.apply(put("c", "1"));
    rig.deliver();
    List<WatchResponse> got = sink.take();
    assertThat(got).extracting(WatchCoreTest::events).containsExactly(List.of("+a@2", "+b@2"), List.of("+c@3"));
    assertThat(got).extracting(r -> r.getHeader().getRevision()).containsExactly(2L, 3L);
    assertThat(got.getFirst().getHeader().getClusterId()).isEqualTo(7);
    assertThat(got.getFirst().getHeader().getRaftTerm()).isEqualTo(2);
  }

  @Test
  void putAndDeleteInOneTransactionAppearBothInOrder() {
    rig.create(stream, on("a"));
    created(0);
    rig.write(put("a", "1"), delete("a"));
    assertThat(events(sink.takeOne())).containsExactly("+a@2", "-a@2");
  }

  @Test
  void deleteHasOnlyKeyAndRevision() {
    rig.write(put("a", "1"));
    rig.create(stream, on("a"));
    created(0);
    rig.write(delete("a"));
    Event event = sink.takeOne().getEvents(0);
    assertThat(event.getType()).isEqualTo(Event.EventType.DELETE);
    assertThat(event.getKv().toBuilder().clearKey().clearModRevision().build().getSerializedSize()).isZero();
  }

  @Test
  void emptyKeyAndZeroEndIsEverything() {
    rig.create(stream, on("").setRangeEnd(ByteString.copyFrom(new byte[1])));
    created(0);
    rig.write(put("\u0000", "x"), put("zz", "y"));
    assertThat(sink.takeOne().getEventsCount()).isEqualTo(2);
  }

  @Test
  void emptyKeyAloneIsTheZeroByte() {
    rig.create(stream, on(""));
    created(0);
    rig.write(put("a", "x"));
    assertThat(sink.received).isEmpty();
    rig.write(put("\u0000", "x"));
    assertThat(sink.takeOne().getEventsCount()).isEqualTo(1);
  }

  @Test
  void zeroEndIsFromTheKeyOn() {
    rig.create(stream, on("b").setRangeEnd(ByteString.copyFrom(new byte[1])));
    created(0);
    rig.write(put("a", "x"), put("b", "x"), put("c", "x"));
    assertThat(events(sink.takeOne())).containsExactly("+b@2", "+c@2");
  }

  @Test
  void emptyRangeIsRefused() {
    rig.create(stream, on("b", "a"));
    refused("mvcc: watcher range is empty");
    rig.create(stream, on("b", "b"));
    refused("mvcc: watcher range is empty");
  }

  @Test
  void idsAreCountedAndExplicitOnesSkipped() {
    rig.create(stream, on("a"));
    created(0);
    rig.create(stream, on("a").setWatchId(2));
    created(2);
    rig.create(stream, on("a"));
    created(1);
    rig.create(stream, on("a"));
    created(3);
    rig.create(stream, on("a").setWatchId(2));
    refused("mvcc: duplicate watch ID provided on the WatchStream");
    rig.core.cancel(stream, 2);
    assertThat(sink.takeOne().getCanceled()).isTrue();
    rig.create(stream, on("a").setWatchId(2));
    created(2);
    rig.core.cancel(stream, 1);
    sink.takeOne();
    rig.create(stream, on("a"));
    created(4);
  }

  @Test
  void negativeStartIsRefused() {
    rig.create(stream, on("a").setStartRevision(-1));
    refused("etcdserver: mvcc: required revision has been compacted");
  }

  @Test
  void notPermittedIsRefusedAndTheStreamGoesOn() {
    rig.create(stream, on("a"), "rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    refused("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    assertThat(sink.closed).isNull();
  }

  @Test
  void pastRevisionsComeFromHistoryMerged() {
    rig.write(put("a", "1"));
    rig.write(put("b", "1"));
    rig.write(put("a", "2"));
    rig.write(put("a", "3"), delete("a"));
    rig.create(stream, on("a").setStartRevision(2));
    created(0);
    rig.catchUp();
    WatchResponse response = sink.takeOne();
    assertThat(events(response)).containsExactly("+a@2", "+a@4", "+a@5", "-a@5");
    assertThat(response.getHeader().getRevision()).isEqualTo(5);
    rig.write(put("a", "4"));
    assertThat(events(sink.takeOne())).containsExactly("+a@6");
  }

  @Test
  void aResponseFromHistoryHasAtMostAThousandRevisions() {
    for (int i = 0; i < 1_001; i++) {
      rig.apply(put("a", "v" + i));
    }
    rig.deliver();
    rig.create(stream, on("a").setStartRevision(1));
    created(0);
    rig.catchUp();
    assertThat(sink.take()).extracting(WatchResponse::getEventsCount).containsExactly(1_000, 1);
  }

  @Test
  void futureStartHoldsEventsBack() {
    rig.create(stream, on("a").setStartRevision(4));
    assertThat(created(0).getHeader().getRevision()).isEqualTo(1);
    rig.write(put("a", "1"));
    rig.write(put("a", "2"));
    assertThat(sink.received).isEmpty();
    rig.write(put("a", "3"));
    assertThat(events(sink.takeOne())).containsExactly("+a@4");
  }

  @Test
  void startBelowTheFloorIsCreatedAndThenCancelled() {
    rig.write(put("a", "1"));
    rig.write(put("a", "2"));
    rig.write(put("a", "3"));
    rig.compact(3);
    rig.create(stream, on("a").setStartRevision(2));
    List<WatchResponse> got = sink.take();
    assertThat(got).hasSize(2);
    assertThat(got.getFirst().getCreated()).isTrue();
    assertThat(got.getFirst().getHeader().getRevision()).isEqualTo(4);
    WatchResponse cancel = got.getLast();
    assertThat(cancel.getCanceled()).isTrue();
    assertThat(cancel.getCreated()).isFalse();
    assertThat(cancel.getCompactRevision()).isEqualTo(3);
    assertThat(cancel.getHeader().getRevision()).isZero();
    assertThat(cancel.getHeader().getMemberId()).isEqualTo(8);
    assertThat(cancel.getCancelReason()).isEmpty();
    rig.write(put("a", "4"));
    assertThat(sink.received).isEmpty();
    rig.create(stream, on("a").setWatchId(0));
    created(1);
    rig.core.cancel(stream, 0);
    assertThat(sink.takeOne().getWatchId()).isZero();
  }

  @Test
  void startAtTheFloorSeesATombstoneAtTheFloor() {
    rig.write(put("a", "1"));
    rig.write(put("a", "2"));
    rig.write(delete("a"));
    rig.compact(4);
    rig.create(stream, on("a").setStartRevision(4));
    created(0);
    rig.catchUp();
    assertThat(events(sink.takeOne())).containsExactly("-a@4");
  }

  @Test
  void cancelAnswersOnceAndNothingFollows() {
    rig.create(stream, on("a").setWatchId(5));
    created(5);
    rig.core.cancel(stream, 5);
    WatchResponse response = sink.takeOne();
    assertThat(response.getCanceled()).isTrue();
    assertThat(response.getWatchId()).isEqualTo(5);
    assertThat(response.getCancelReason()).isEmpty();
    assertThat(response.getCompactRevision()).isZero();
    rig.core.cancel(stream, 5);
    rig.core.cancel(stream, 99);
    rig.write(put("a", "1"));
    assertThat(sink.received).isEmpty();
  }

  @Test
  void filtersDropAndSilenceWhatIsLeft() {
    rig.create(stream, on("a").addFilters(FilterType.NOPUT));
    rig.create(stream, on("a").addFilters(FilterType.NODELETE));
    rig.create(stream, on("a").addFilters(FilterType.NODELETE).addFilters(FilterType.NOPUT));
    sink.take();
    rig.write(put("a", "1"));
    assertThat(sink.takeOne().getWatchId()).isEqualTo(1);
    rig.write(delete("a"));
    assertThat(sink.takeOne().getWatchId()).isEqualTo(0);
    rig.create(stream, on("a").addFilters(FilterType.NOPUT).setStartRevision(1));
    sink.take();
    rig.catchUp();
    assertThat(events(sink.takeOne())).containsExactly("-a@3");
  }

  @Test
  void previousPairIsTheOneAtTheRevisionBefore() {
    rig.create(stream, on("a", "z").setPrevKv(true));
    created(0);
    rig.write(put("a", "1"));
    assertThat(sink.takeOne().getEvents(0).hasPrevKv()).isFalse();
    rig.write(put("a", "2"));
    Event event = sink.takeOne().getEvents(0);
    assertThat(event.getPrevKv().getValue()).isEqualTo(bytes("1"));
    assertThat(event.getPrevKv().getModRevision()).isEqualTo(2);
    rig.write(put("a", "3"), put("a", "4"), delete("a"), put("b", "1"), put("b", "2"), delete("b"));
    List<Event> events = sink.takeOne().getEventsList();
    assertThat(events).extracting(e -> e.getPrevKv().getValue().toStringUtf8()).containsExactly("2", "2", "2", "", "", "");
    assertThat(events).extracting(Event::hasPrevKv).containsExactly(true, true, true, false, false, false);
  }

  @Test
  void previousPairIsAbsentWhenCompacted() {
    rig.write(put("a", "1"));
    rig.write(put("a", "2"));
    rig.write(put("a", "3"));
    rig.compact(3);
    rig.create(stream, on("a").setPrevKv(true).setStartRevision(3));
    created(0);
    rig.catchUp();
    List<Event> events = sink.takeOne().getEventsList();
    assertThat(events).extracting(Event::hasPrevKv).containsExactly(false, true);
    assertThat(events.getLast().getPrevKv().getValue()).isEqualTo(bytes("2"));
  }

  @Test
  void watchersWithAndWithoutPreviousPairShareAnEvent() {
    rig.write(put("a", "1"));
    rig.create(stream, on("a").setPrevKv(true));
    rig.create(stream, on("a"));
    sink.take();
    rig.write(put("a", "2"));
    assertThat(sink.take()).extracting(r -> r.getEvents(0).hasPrevKv()).containsExactly(true, false);
  }

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
