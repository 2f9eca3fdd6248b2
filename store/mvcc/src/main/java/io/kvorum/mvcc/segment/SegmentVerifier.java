package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Reads every record of a sealed segment and compares it with its checksum, and on wish with what Chronicle's own look-up gives. */
final class SegmentVerifier {
  private final Path directory;
  private final RecordCheck check = new RecordCheck();

  SegmentVerifier(Path directory) {
    this.directory = directory;
  }

  /**
   * @return records compared
   * @throws StoreCorruptException naming the file and the revision
   */
  long verify(Segment segment, boolean withChronicle) throws IOException {
    int count = segment.table().count();
    for (int i = 0; i < count; i++) {
      check.read(segment, i, directory);
    }
    if (withChronicle) {
      compareWithChronicle(segment);
    }
    return count;
  }

  /** Opens a copy, with the unused tail that sealing cut off as a hole: Chronicle demands its length and writes to what it opens. */
  private void compareWithChronicle(Segment segment) throws IOException {
    SideFile side = (SideFile) segment.table();
    Path data = directory.resolve(segment.info().dataName());
    Path copy = directory.resolve(segment.info().dataName() + FileNames.TEMPORARY);
    try {
      Files.copy(data, copy, StandardCopyOption.REPLACE_EXISTING);
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        channel.write(java.nio.ByteBuffer.allocate(1), side.mapBytes() - 1);
      }
      try (ChronicleSegmentFile chronicle = ChronicleSegmentFile.openCopy(copy, side.mapSize())) {
        for (int i = 0; i < side.count(); i++) {
          if (!chronicle.holds(side.main(i), side.sub(i), segment.encoding(i))) {
            throw new StoreCorruptException(data, "Chronicle reads another record at revision " + side.main(i) + "." + side.sub(i));
          }
        }
      }
    } finally {
      Files.deleteIfExists(copy);
    }
  }
}
