package io.kvorum.server.recipe;

import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.protocol.v3electionpb.LeaderResponse;

/** Tells who leads, each change of what the leader says, and each new leader, until the call ends. */
final class Observation implements Runnable {
  private final LocalStore store;
  private final WaitingLine line;
  private final PacedStream<LeaderResponse> out;

  Observation(LocalStore store, WaitingLine line, PacedStream<LeaderResponse> out) {
    this.store = store;
    this.line = line;
    this.out = out;
  }

  @Override
  public void run() {
    while (true) {
      RangeResponse oldest = store.range(line.oldest());
      LeaderResponse leader =
          oldest.getKvsCount() > 0 ? answer(oldest.getHeader(), oldest.getKvs(0)) : firstComing(oldest.getHeader().getRevision());
      if (leader != null) {
        out.send(leader);
        follow(leader);
      }
    }
  }

  private static LeaderResponse answer(ResponseHeader header, KeyValue key) {
    return LeaderResponse.newBuilder().setHeader(header).setKv(key).build();
  }

  /** Waits for somebody to stand for election; null to look again. */
  private LeaderResponse firstComing(long from) {
    WatchCreateRequest request =
        WatchCreateRequest.newBuilder().setKey(line.prefix()).setRangeEnd(line.end()).setStartRevision(from).addFilters(WatchCreateRequest.FilterType.NODELETE).build();
    try (LocalStore.Watching watching = store.watch(request)) {
      for (WatchResponse response = watching.next(); response != null; response = watching.next()) {
        if (response.getEventsCount() > 0) {
          KeyValue key = response.getEvents(0).getKv();
          return answer(response.getHeader().toBuilder().setRevision(key.getModRevision()).build(), key);
        }
      }
    }
    return null;
  }

  /** Tells what this leader says until its key goes. */
  private void follow(LeaderResponse leader) {
    WatchCreateRequest request =
        WatchCreateRequest.newBuilder().setKey(leader.getKv().getKey()).setStartRevision(leader.getHeader().getRevision() + 1).build();
    try (LocalStore.Watching watching = store.watch(request)) {
      for (WatchResponse response = watching.next(); response != null; response = watching.next()) {
        for (Event event : response.getEventsList()) {
          if (event.getType() == Event.EventType.DELETE) {
            return;
          }
          out.send(answer(response.getHeader(), event.getKv()));
        }
      }
    }
  }
}
