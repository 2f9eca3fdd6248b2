package io.kvorum.bbolt;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Files written to and read from memory. */
final class Files {
  private Files() {}

  static SortedMap<byte[], byte[]> rows() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
  }

  static byte[] write(int pageSize, List<Bucket> buckets) throws IOException {
    BoltWriter writer = new BoltWriter(pageSize, buckets);
    BoltWriter.Layout layout = writer.plan();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    writer.write(
        layout,
        part -> {
          byte[] copy = new byte[part.remaining()];
          part.get(copy);
          out.write(copy);
        });
    if (out.size() != layout.bytes()) {
      throw new AssertionError("wrote " + out.size() + " of " + layout.bytes());
    }
    return out.toByteArray();
  }

  static SortedMap<byte[], byte[]> read(BoltReader reader, String bucket) throws IOException {
    SortedMap<byte[], byte[]> rows = rows();
    reader.forEach(bucket, (key, value) -> rows.put(key, copy(value)));
    return rows;
  }

  private static byte[] copy(ByteBuffer value) {
    byte[] copy = new byte[value.remaining()];
    value.get(copy);
    return copy;
  }

  static List<String> texts(SortedMap<byte[], byte[]> rows) {
    List<String> texts = new ArrayList<>();
    rows.forEach((key, value) -> texts.add(HexFormat.of().formatHex(key) + "=" + HexFormat.of().formatHex(value)));
    return texts;
  }
}
