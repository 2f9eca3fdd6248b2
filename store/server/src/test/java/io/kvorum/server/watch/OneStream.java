package io.kvorum.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.util.List;

/** One stream of a core, and what is asked of its answers. */
abstract class OneStream {
  final CoreRig rig = new CoreRig();
  final FakeSink sink = new FakeSink();
  final WatchStream stream = rig.stream(sink);

  static List<String> events(WatchResponse response) {
    return response.getEventsList().stream()
        .map(e -> (e.getType() == Event.EventType.PUT ? "+" : "-") + e.getKv().getKey().toStringUtf8() + "@" + e.getKv().getModRevision())
        .toList();
  }

  WatchResponse created(long id) {
    WatchResponse response = sink.takeOne();
    assertThat(response.getCreated()).isTrue();
    assertThat(response.getCanceled()).isFalse();
    assertThat(response.getWatchId()).isEqualTo(id);
    return response;
  }

  void refused(String reason) {
    WatchResponse response = sink.takeOne();
    assertThat(response.getCreated()).isTrue();
    assertThat(response.getCanceled()).isTrue();
    assertThat(response.getWatchId()).isEqualTo(-1);
    assertThat(response.getCancelReason()).isEqualTo(reason);
    assertThat(response.getCompactRevision()).isZero();
    assertThat(response.getHeader().getRevision()).isEqualTo(rig.store.revision());
  }
}
