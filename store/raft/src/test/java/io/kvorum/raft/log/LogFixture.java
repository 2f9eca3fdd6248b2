package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Entries for tests. */
final class LogFixture {
  private LogFixture() {}

  static Entry entry(long term, long index, String data) {
    return new Entry(term, index, EntryType.NORMAL, 1000 + index, data.getBytes(StandardCharsets.UTF_8));
  }

  static Entry entry(long term, long index, int bytes) {
    byte[] data = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      data[i] = (byte) (term * 31 + index * 7 + i);
    }
    return new Entry(term, index, EntryType.NORMAL, 1000 + index, data);
  }

  /** Entries from..to, both included. */
  static List<Entry> entries(long term, long from, long to, int bytes) {
    List<Entry> out = new ArrayList<>();
    for (long i = from; i <= to; i++) {
      out.add(entry(term, i, bytes));
    }
    return out;
  }

  static String text(Entry entry) {
    return entry.index() + "/" + entry.term() + "/" + entry.type() + "/" + entry.timeMillis() + "/" + new String(entry.data(), StandardCharsets.ISO_8859_1);
  }

  static List<String> texts(List<Entry> entries) {
    return entries.stream().map(LogFixture::text).toList();
  }

  /** Everything that the log holds, read in small steps. */
  static List<Entry> all(SegmentedLog log) {
    List<Entry> out = new ArrayList<>();
    long next = log.firstIndex();
    while (next <= log.lastIndex()) {
      List<Entry> part = log.entries(next, log.lastIndex() + 1, 3000);
      out.addAll(part);
      next += part.size();
    }
    return out;
  }
}
