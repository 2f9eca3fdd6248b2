package io.kvorum.server.watch;

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
import org.junit.jupiter.api.Test;

/** Creation, ranges, history and options. */
class WatchCoreTest extends OneStream {
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
    assertThat(got).extracting(OneStream::events).containsExactly(List.of("+a@2", "+b@2"), List.of("+c@3"));
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
  void negativeStartIsSeenBeforePermissionAndRange() {
    rig.create(stream, on("b", "a").setStartRevision(-1), "denied");
    refused("etcdserver: mvcc: required revision has been compacted");
    rig.create(stream, on("b", "a"), "denied");
    refused("denied");
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
}
