package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;

/** Pairs and events of a cluster as changes of the copy: encoded byte for byte as there. What lease a key had before is not known, and of no use here. */
final class Changes {
  private Changes() {}

  static Change of(Event event, int sub) {
    return event.getType() == Event.EventType.DELETE ? deletion(event.getKv(), sub) : put(event.getKv(), sub);
  }

  static Change put(KeyValue pair, int sub) {
    byte[] key = pair.getKey().toByteArray();
    byte[] encoded =
        KeyValueCodec.put(key, pair.getCreateRevision(), pair.getModRevision(), pair.getVersion(), pair.getValue().toByteArray(), pair.getLease());
    return new Change(false, key, pair.getModRevision(), sub, encoded, pair.getCreateRevision(), pair.getVersion(), pair.getLease(), 0);
  }

  private static Change deletion(KeyValue pair, int sub) {
    byte[] key = pair.getKey().toByteArray();
    return new Change(true, key, pair.getModRevision(), sub, KeyValueCodec.tombstone(key, pair.getModRevision()), 0, 0, 0, 0);
  }

  /** The same change at another place within its revision. */
  static Change at(Change change, int sub) {
    return change.sub() == sub
        ? change
        : new Change(
            change.delete(), change.key(), change.main(), sub, change.encoded(), change.createRevision(), change.version(), change.lease(), 0);
  }
}
