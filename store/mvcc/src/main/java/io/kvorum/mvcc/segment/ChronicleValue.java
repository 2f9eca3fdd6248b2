package io.kvorum.mvcc.segment;

import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.core.util.ReadResolvable;
import net.openhft.chronicle.hash.serialization.SizedReader;
import net.openhft.chronicle.hash.serialization.SizedWriter;
import net.openhft.chronicle.wire.Marshallable;
import net.openhft.chronicle.wire.WireIn;
import net.openhft.chronicle.wire.WireOut;

/** A record's bytes on their way into a map, or the address of them inside it. Chronicle demands a public class; nobody else uses it. */
public final class ChronicleValue {
  byte[] source;
  int offset;
  int length;

  /** Where the map keeps the bytes, set by a put and by a get. */
  long address;

  /** Copies bytes as they are, and tells where they went. */
  public static final class Marshaller
      implements SizedReader<ChronicleValue>, SizedWriter<ChronicleValue>, Marshallable, ReadResolvable<Marshaller> {
    static final Marshaller INSTANCE = new Marshaller();

    @Override
    @SuppressWarnings("rawtypes")
    public ChronicleValue read(Bytes in, long size, ChronicleValue using) {
      ChronicleValue value = using == null ? new ChronicleValue() : using;
      value.address = in.addressForRead(in.readPosition());
      value.length = (int) size;
      value.source = null;
      return value;
    }

    @Override
    public long size(ChronicleValue value) {
      return value.length;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public void write(Bytes out, long size, ChronicleValue value) {
      value.address = out.addressForWrite(out.writePosition());
      out.write(value.source, value.offset, value.length);
    }

    @Override
    public void readMarshallable(WireIn wire) {}

    @Override
    public void writeMarshallable(WireOut wire) {}

    @Override
    public Marshaller readResolve() {
      return INSTANCE;
    }
  }
}
