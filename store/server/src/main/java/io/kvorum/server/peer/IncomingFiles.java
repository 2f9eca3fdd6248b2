package io.kvorum.server.peer;

import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.raft.FailPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * A directory {@code incoming-N} that received files are written to. Files are named by content, so those that are complete serve the next attempt
 * when a transfer breaks off. Used by one thread.
 */
final class IncomingFiles {
  private final Path directory;
  private final FailPoint failPoint;
  private final Map<String, SnapshotFiles.Entry> expected = new HashMap<>();
  private final Set<SnapshotFiles.Entry> complete = new HashSet<>();
  private String name;
  private FileChannel file;
  private long written;
  private CRC32C crc;

  IncomingFiles(Path directory, FailPoint failPoint) throws IOException {
    this.directory = Files.createDirectory(directory);
    this.failPoint = failPoint;
  }

  Path directory() {
    return directory;
  }

  /**
   * Prepares for files; what is here and not among them goes.
   *
   * @return those that are still to be received
   * @throws IOException also for a name that is not a plain file name
   */
  List<SnapshotFiles.Entry> expect(Collection<SnapshotFiles.Entry> files) throws IOException {
    closeFile();
    expected.clear();
    for (SnapshotFiles.Entry entry : files) {
      String fileName = entry.name();
      if (fileName.isEmpty() || fileName.startsWith(".") || fileName.indexOf('/') >= 0 || fileName.indexOf('\\') >= 0 || fileName.indexOf('\0') >= 0) {
        throw new IOException("not a file name: " + fileName);
      }
      expected.put(fileName, entry);
    }
    complete.retainAll(expected.values());
    try (Stream<Path> present = Files.list(directory)) {
      for (Path path : present.toList()) {
        if (complete.stream().noneMatch(e -> e.name().equals(path.getFileName().toString()))) {
          Files.delete(path);
        }
      }
    }
    for (SnapshotFiles.Entry entry : files) {
      if (entry.length() == 0 && !complete.contains(entry)) {
        begin(entry.name());
        finish(entry);
      }
    }
    return files.stream().filter(e -> !complete.contains(e)).toList();
  }

  /**
   * Takes the next bytes of a file; the last ones make it durable.
   *
   * @throws IOException if they do not follow what is there, or the finished file does not match its checksum
   */
  void write(String fileName, long offset, ByteBuffer data) throws IOException {
    SnapshotFiles.Entry entry = expected.get(fileName);
    if (entry == null || complete.contains(entry)) {
      throw new IOException("unexpected file " + fileName);
    }
    if (!fileName.equals(name)) {
      begin(fileName);
    }
    if (offset != written || offset + data.remaining() > entry.length()) {
      throw new IOException("bytes of " + fileName + " at " + offset + " do not follow " + written);
    }
    written += data.remaining();
    crc.update(data.duplicate());
    while (data.hasRemaining()) {
      file.write(data);
    }
    failPoint.reached("peer.snapshot.chunk-written");
    if (written == entry.length()) {
      finish(entry);
    }
  }

  private void begin(String fileName) throws IOException {
    closeFile();
    name = fileName;
    written = 0;
    crc = new CRC32C();
    file =
        FileChannel.open(
            directory.resolve(fileName), StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
  }

  private void finish(SnapshotFiles.Entry entry) throws IOException {
    if ((int) crc.getValue() != entry.crc32c()) {
      throw new IOException("checksum mismatch in received file " + entry.name());
    }
    failPoint.reached("peer.snapshot.before-sync");
    file.force(true);
    closeFile();
    complete.add(entry);
  }

  /** Makes the directory durable; returns whether all expected files are there. */
  boolean seal() throws IOException {
    closeFile();
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
    return complete.containsAll(expected.values());
  }

  /** Gives up the unfinished file; the finished ones stay. */
  void closeFile() throws IOException {
    name = null;
    if (file != null) {
      file.close();
      file = null;
    }
  }

  /** Deletes what former transfers left. */
  static void deleteLeftovers(Path parent) throws IOException {
    try (Stream<Path> entries = Files.list(parent)) {
      for (Path path : entries.filter(p -> p.getFileName().toString().startsWith("incoming-")).toList()) {
        delete(path);
      }
    }
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> paths = Files.walk(tree)) {
      paths
          .sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
