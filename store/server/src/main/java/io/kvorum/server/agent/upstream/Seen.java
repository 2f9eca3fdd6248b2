package io.kvorum.server.agent.upstream;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.WireFormat;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/** The highest revision in the headers of some answers. Any thread. */
public final class Seen {
  /** In every answer of etcd's services. */
  private static final int HEADER_FIELD = 1;

  private final AtomicLong highest = new AtomicLong();

  /** 0 before there was any. */
  public long get() {
    return highest.get();
  }

  public void revision(long revision) {
    if (revision > highest.get()) {
      highest.accumulateAndGet(revision, Math::max);
    }
  }

  /**
   * Takes note of an answer.
   *
   * @param answer encoded or not; what has no header counts nothing
   */
  public void answer(Object answer) {
    switch (answer) {
      case byte[] encoded -> revision(revisionOf(encoded));
      case Message message -> {
        FieldDescriptor header = message.getDescriptorForType().findFieldByNumber(HEADER_FIELD);
        if (header != null && header.getJavaType() == FieldDescriptor.JavaType.MESSAGE && message.getField(header) instanceof ResponseHeader found) {
          revision(found.getRevision());
        }
      }
      default -> {
        // Not an answer of etcd's.
      }
    }
  }

  /** The revision in the header of an encoded answer; 0 without one. Headers come first: nothing behind is read. */
  public static long revisionOf(byte[] encoded) {
    try {
      CodedInputStream in = CodedInputStream.newInstance(encoded);
      if (in.readTag() != WireFormat.FieldType.MESSAGE.getWireType() + (HEADER_FIELD << 3)) {
        return 0;
      }
      int end = in.pushLimit(in.readRawVarint32());
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == ResponseHeader.REVISION_FIELD_NUMBER << 3) {
          return in.readInt64();
        }
        in.skipField(tag);
      }
      in.popLimit(end);
      return 0;
    } catch (IOException noHeader) {
      return 0;
    }
  }
}
