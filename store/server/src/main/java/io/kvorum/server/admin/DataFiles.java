package io.kvorum.server.admin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a member keeps its data.
 *
 * @param history directory
 * @param log directory
 */
public record DataFiles(Path history, Path log) {
  /** Bytes of the files in a directory; one that is deleted meanwhile counts nothing. */
  static long bytes(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.list(directory)) {
      files = walk.toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    long sum = 0;
    for (Path file : files) {
      try {
        sum += Files.isDirectory(file) ? bytes(file) : Files.size(file);
      } catch (NoSuchFileException gone) {
        // Compaction and recycling go on.
      }
    }
    return sum;
  }

  FileStore disk() throws IOException {
    return Files.getFileStore(history);
  }
}
