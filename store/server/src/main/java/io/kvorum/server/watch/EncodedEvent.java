package io.kvorum.server.watch;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * One change as watchers receive it: the field {@code events} of a WatchResponse, tag and length included, encoded once and shared by all streams. There
 * are two forms, without and with the previous pair, each built when first asked for. Not thread-safe: belongs to the watch thread.
 */
final class EncodedEvent {
  private static final int EVENT_TAG = tag(WatchResponse.EVENTS_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int TYPE_TAG = tag(Event.TYPE_FIELD_NUMBER, WireFormat.WIRETYPE_VARINT);
  private static final int KV_TAG = tag(Event.KV_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
  private static final int PREV_TAG = tag(Event.PREV_KV_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);

  private final byte[] key;
  private final long main;
  private final boolean delete;
  private final boolean creation;
  private final byte[] kv;
  private byte[] plain;
  private byte[] withPrevious;

  private EncodedEvent(byte[] key, long main, boolean delete, boolean creation, byte[] kv) {
    this.key = key;
    this.main = main;
    this.delete = delete;
    this.creation = creation;
    this.kv = kv;
  }

  static EncodedEvent of(Change change) {
    boolean creation = !change.delete() && change.createRevision() == change.main();
    return new EncodedEvent(change.key(), change.main(), change.delete(), creation, change.encoded());
  }

  /** Copies the record: it outlives the view. */
  static EncodedEvent of(Record record, byte[] key) {
    boolean delete = record.tombstone();
    return new EncodedEvent(key, record.main(), delete, !delete && record.createRevision() == record.main(), record.toByteArray());
  }

  byte[] plain() {
    if (plain == null) {
      plain = encode(null);
    }
    return plain;
  }

  /** The form with the pair at the revision before, if the event is no creation and that revision can still be read. */
  byte[] withPrevious(ReadView view) {
    if (withPrevious == null) {
      byte[] previous = creation ? null : previous(view);
      withPrevious = previous == null ? plain() : encode(previous);
    }
    return withPrevious;
  }

  private byte[] previous(ReadView view) {
    try {
      Record record = view.getAt(key, main - 1);
      return record == null ? null : record.toByteArray();
    } catch (RevisionException compacted) {
      return null;
    }
  }

  private byte[] encode(byte[] previous) {
    int body = (delete ? 2 : 0) + fieldSize(kv) + (previous == null ? 0 : fieldSize(previous));
    byte[] bytes = new byte[1 + CodedOutputStream.computeUInt32SizeNoTag(body) + body];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeUInt32NoTag(EVENT_TAG);
      out.writeUInt32NoTag(body);
      if (delete) {
        out.writeUInt32NoTag(TYPE_TAG);
        out.writeEnumNoTag(Event.EventType.DELETE_VALUE);
      }
      writeField(out, KV_TAG, kv);
      if (previous != null) {
        writeField(out, PREV_TAG, previous);
      }
      out.checkNoSpaceLeft();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes;
  }

  private static void writeField(CodedOutputStream out, int tag, byte[] message) throws IOException {
    out.writeUInt32NoTag(tag);
    out.writeUInt32NoTag(message.length);
    out.writeRawBytes(message);
  }

  private static int fieldSize(byte[] message) {
    return 1 + CodedOutputStream.computeUInt32SizeNoTag(message.length) + message.length;
  }

  private static int tag(int field, int wireType) {
    return field << 3 | wireType;
  }
}
