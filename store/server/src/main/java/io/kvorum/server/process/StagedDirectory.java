package io.kvorum.server.process;

import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.MemberIds;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A data directory in the making: everything is written to {@code DIR.importing} beside it and renamed when it is whole and durable, so that a member never starts on half of it. What a
 * killed attempt left behind is removed by the next one.
 */
final class StagedDirectory implements AutoCloseable {
  private static final String SUFFIX = ".importing";

  private final Path target;
  private final Path staging;
  private final DataDirectory directory;
  private boolean finished;

  private StagedDirectory(Path target, Path staging, DataDirectory directory) {
    this.target = target;
    this.staging = staging;
    this.directory = directory;
  }

  /**
   * Begins.
   *
   * @param target must not exist, or be an empty directory
   * @throws DataDirectory.RefusedException when it is not, or another process is at it
   */
  static StagedDirectory create(Path target) throws IOException, DataDirectory.RefusedException {
    Path whole = target.toAbsolutePath().normalize();
    if (Files.exists(whole) && !(Files.isDirectory(whole) && isEmpty(whole))) {
      throw new DataDirectory.RefusedException("data-dir " + target + " is not empty");
    }
    Path staging = whole.resolveSibling(whole.getFileName() + SUFFIX);
    if (Files.exists(staging)) {
      DataDirectory.open(staging, null).close();
      delete(staging);
    }
    return new StagedDirectory(whole, staging, DataDirectory.open(staging, null));
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Where the store goes. */
  Path store() {
    return directory.store();
  }

  /** For files that are fetched; nothing of it may be left at the end. */
  Path received() {
    return directory.received();
  }

  /** Writes a small file beside the store. */
  void note(String name, String text) throws IOException {
    Path note = directory.member().resolve(name);
    Files.writeString(note, text);
    try (FileChannel channel = FileChannel.open(note, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /** Says whose it is, makes it durable and puts it in its place. */
  void finish(Genesis genesis) throws IOException, DataDirectory.RefusedException {
    new GenesisFile(directory.member()).write(genesis);
    directory.identify(MemberIds.hex(genesis.clusterId()), MemberIds.hex(genesis.memberId()));
    for (Path path : List.of(directory.store(), directory.member(), staging)) {
      force(path);
    }
    Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
    finished = true;
    force(target.getParent());
  }

  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Gives the lock back; removes what was not finished. */
  @Override
  public void close() throws IOException {
    directory.close();
    if (!finished) {
      delete(staging);
    }
  }
}
