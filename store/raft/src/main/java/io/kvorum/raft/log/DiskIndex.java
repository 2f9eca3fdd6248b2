package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where written entries are: a sample about every 32 KiB, and one wherever the order of the file stops being the order of the log (a new file, an
 * overwritten suffix), so that a scan from a
 * sample up to the next one meets only entries that count. Not thread-safe, but {@link Plan#run} reads without touching it.
 */
final class DiskIndex {
  private static final long SAMPLE_BYTES = 32 << 10;

  /** A segment file in use. */
  record Segment(Path path, SegmentHeader header) {
    long sequence() {
      return header.sequence();
    }
  }

  /** {@code continues}: a scan from the sample before may run on into this one. */
  private record Sample(Segment segment, long offset, boolean continues) {}

  private final TreeMap<Long, Sample> samples = new TreeMap<>();
  private boolean needsSample = true;
  private long lastSampleOffset;
  private Segment lastSegment;

  /** A record of entries that begins with {@code firstIndex} was written. */
  void wrote(Segment segment, long offset, long firstIndex) {
    if (needsSample || segment != lastSegment || offset - lastSampleOffset >= SAMPLE_BYTES) {
      samples.put(firstIndex, new Sample(segment, offset, !needsSample && segment == lastSegment));
      needsSample = false;
      lastSegment = segment;
      lastSampleOffset = offset;
    }
  }

  /** Everything behind {@code index} became void. */
  void truncated(long index) {
    samples.tailMap(index, false).clear();
    needsSample = true;
  }

  void clear() {
    samples.clear();
    needsSample = true;
    lastSegment = null;
  }

  /** Last index that counts in any file up to {@code sequence}, or {@code lastIndex} if no later file holds entries that count. */
  long lastIndexUpTo(long sequence, long lastIndex) {
    for (Map.Entry<Long, Sample> sample : samples.entrySet()) {
      if (sample.getValue().segment.sequence() > sequence) {
        return sample.getKey() - 1;
      }
    }
    return lastIndex;
  }

  /** Files up to {@code sequence} are gone. */
  void dropUpTo(long sequence) {
    samples.values().removeIf(sample -> sample.segment.sequence() <= sequence);
  }

  /** Stretches of files to read for some entries. */
  record Plan(List<Stretch> stretches) {
    private record Stretch(Segment segment, long offset, long from, long to) {}

    /** Reads the entries; at least one, else as long as they fit in {@code maxBytes}. */
    List<Entry> run(Disk disk, long maxBytes) throws IOException {
      List<Entry> out = new ArrayList<>();
      long left = maxBytes;
      for (Stretch stretch : stretches) {
        left = read(disk, stretch, left, out);
        if (left <= 0) {
          break;
        }
      }
      return out;
    }

    private static long read(Disk disk, Stretch stretch, long budget, List<Entry> out) throws IOException {
      long left = budget;
      try (SegmentReader reader = SegmentReader.open(disk, stretch.segment.path)) {
        long offset = stretch.offset;
        long want = stretch.from;
        while (want < stretch.to) {
          if (!reader.read(offset)) {
            throw new LogCorruptException(stretch.segment.path, offset, "a record can no longer be read");
          }
          if (reader.type() == RecordFormat.Type.ENTRIES) {
            ByteBuffer in = reader.payload();
            long index = in.getLong();
            int count = in.getInt();
            for (int i = 0; i < count && want < stretch.to; i++, index++) {
              if (index != want) {
                RecordFormat.skipEntry(in);
                continue;
              }
              Entry entry = RecordFormat.getEntry(in, index);
              if (entry.sizeBytes() > left && !out.isEmpty()) {
                return 0;
              }
              out.add(entry);
              left -= entry.sizeBytes();
              want++;
            }
          }
          offset = reader.next();
        }
      }
      return left;
    }
  }

  /** Where entries {@code [from, to)} are; all of them must be written. */
  Plan plan(long from, long to) {
    List<Plan.Stretch> stretches = new ArrayList<>();
    long at = from;
    while (at < to) {
      Map.Entry<Long, Sample> sample = samples.floorEntry(at);
      if (sample == null) {
        throw new IllegalStateException("entry " + at + " is in no file");
      }
      long end = end(sample, to);
      stretches.add(new Plan.Stretch(sample.getValue().segment, sample.getValue().offset, at, end));
      at = end;
    }
    return new Plan(stretches);
  }

  /** First index, at most {@code to}, to which a scan from the sample cannot run on. */
  private long end(Map.Entry<Long, Sample> sample, long to) {
    for (Map.Entry<Long, Sample> next : samples.tailMap(sample.getKey(), false).entrySet()) {
      if (next.getKey() >= to || !next.getValue().continues) {
        return Math.min(next.getKey(), to);
      }
    }
    return to;
  }
}
