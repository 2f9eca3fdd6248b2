package io.kvorum.server.watch;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One encoded {@code etcdserverpb.WatchResponse}: a small head of its own, followed by event fields whose bytes are shared with every other response that
 * carries the same events. Immutable.
 */
public final class WatchMessage {
  private static final byte[][] NO_EVENTS = {};

  private final byte[] head;
  private final byte[][] events;
  private final int length;

  private WatchMessage(byte[] head, byte[][] events) {
    this.head = head;
    this.events = events;
    long bytes = head.length;
    for (byte[] event : events) {
      bytes += event.length;
    }
    this.length = Math.toIntExact(bytes);
  }

  /** @param header the encoded response header */
  static WatchMessage created(byte[] header, long watchId) {
    return new WatchMessage(head(header, watchId, true, false, 0, "", false), NO_EVENTS);
  }

  /** A creation that was refused. */
  static WatchMessage refused(byte[] header, String reason) {
    return new WatchMessage(head(header, -1, true, true, 0, reason, false), NO_EVENTS);
  }

  static WatchMessage canceled(byte[] header, long watchId) {
    return new WatchMessage(head(header, watchId, false, true, 0, "", false), NO_EVENTS);
  }

  /** @param header with revision 0 */
  static WatchMessage compacted(byte[] header, long watchId, long compactRevision) {
    return new WatchMessage(head(header, watchId, false, true, compactRevision, "", false), NO_EVENTS);
  }

  static WatchMessage progress(byte[] header, long watchId) {
    return new WatchMessage(head(header, watchId, false, false, 0, "", false), NO_EVENTS);
  }

  static WatchMessage events(byte[] header, long watchId, byte[][] events) {
    return new WatchMessage(head(header, watchId, false, false, 0, "", false), events);
  }

  /**
   * The responses that carry these events when the client can put fragments together: one, or, when that would reach the limit and there are two events or
   * more, several of which all but the last are marked. Each holds at least one event.
   */
  static List<WatchMessage> fragments(byte[] header, long watchId, byte[][] events, long limitBytes) {
    WatchMessage whole = events(header, watchId, events);
    if (whole.length < limitBytes || events.length < 2) {
      return List.of(whole);
    }
    byte[] marked = head(header, watchId, false, false, 0, "", true);
    List<WatchMessage> parts = new ArrayList<>();
    int from = 0;
    long bytes = marked.length;
    for (int i = 0; i < events.length; i++) {
      if (i > from && bytes + events[i].length >= limitBytes) {
        parts.add(new WatchMessage(marked, Arrays.copyOfRange(events, from, i)));
        from = i;
        bytes = marked.length;
      }
      bytes += events[i].length;
    }
    parts.add(events(header, watchId, Arrays.copyOfRange(events, from, events.length)));
    return parts;
  }

  /** A response that was made elsewhere. */
  static WatchMessage of(WatchResponse response) {
    return new WatchMessage(response.toByteArray(), NO_EVENTS);
  }

  /** Bytes of the encoding. */
  public int length() {
    return length;
  }

  public void writeTo(OutputStream out) throws IOException {
    out.write(head);
    for (byte[] event : events) {
      out.write(event);
    }
  }

  public byte[] toByteArray() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(length);
    try {
      writeTo(out);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return out.toByteArray();
  }

  /** The decoded message, for those who need its fields (a JSON gateway, tests). */
  public WatchResponse toResponse() {
    try {
      return WatchResponse.parseFrom(toByteArray());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("own encoding cannot be read", e);
    }
  }

  private static byte[] head(
      byte[] header, long watchId, boolean created, boolean canceled, long compactRevision, String reason, boolean fragment) {
    int size =
        CodedOutputStream.computeByteArraySize(WatchResponse.HEADER_FIELD_NUMBER, header)
            + (watchId == 0 ? 0 : CodedOutputStream.computeInt64Size(WatchResponse.WATCH_ID_FIELD_NUMBER, watchId))
            + (created ? 2 : 0)
            + (canceled ? 2 : 0)
            + (compactRevision == 0 ? 0 : CodedOutputStream.computeInt64Size(WatchResponse.COMPACT_REVISION_FIELD_NUMBER, compactRevision))
            + (reason.isEmpty() ? 0 : CodedOutputStream.computeStringSize(WatchResponse.CANCEL_REASON_FIELD_NUMBER, reason))
            + (fragment ? 2 : 0);
    byte[] bytes = new byte[size];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeByteArray(WatchResponse.HEADER_FIELD_NUMBER, header);
      if (watchId != 0) {
        out.writeInt64(WatchResponse.WATCH_ID_FIELD_NUMBER, watchId);
      }
      if (created) {
        out.writeBool(WatchResponse.CREATED_FIELD_NUMBER, true);
      }
      if (canceled) {
        out.writeBool(WatchResponse.CANCELED_FIELD_NUMBER, true);
      }
      if (compactRevision != 0) {
        out.writeInt64(WatchResponse.COMPACT_REVISION_FIELD_NUMBER, compactRevision);
      }
      if (!reason.isEmpty()) {
        out.writeString(WatchResponse.CANCEL_REASON_FIELD_NUMBER, reason);
      }
      if (fragment) {
        out.writeBool(WatchResponse.FRAGMENT_FIELD_NUMBER, true);
      }
      out.checkNoSpaceLeft();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes;
  }
}
