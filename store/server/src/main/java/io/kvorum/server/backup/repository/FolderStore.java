package io.kvorum.server.backup.repository;

import io.kvorum.mvcc.FailPoint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Objects as files of a folder, for example of a mounted volume.
 *
 * <p>Writing: 1. a temporary file in {@code .partial}; 2. force it; 3. rename it to its name; 4. force the directory, and each directory above that was made for it. A crash before 3 leaves a
 * temporary file that {@link #removePartial} finds; after 3 the object is whole, and it is durable once 4 is done.
 */
public final class FolderStore implements ObjectStore {
  private static final String PARTIAL = ".partial";
  private static final int BUFFER_BYTES = 256 << 10;

  private final Path root;
  private final FailPoint failPoint;

  /**
   * @param root made at the first write if it is not there
   * @param failPoint told the names of {@link BackupFailPoints}
   */
  public FolderStore(Path root, FailPoint failPoint) {
    this.root = root.toAbsolutePath().normalize();
    this.failPoint = failPoint;
  }

  @Override
  public Optional<StoredObject> find(String name) throws IOException {
    Path file = file(name);
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.isRegularFile() ? Optional.of(stored(name, attributes)) : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unavailable(name, e);
    }
  }

  @Override
  public InputStream open(String name) throws IOException {
    try {
      return Files.newInputStream(file(name));
    } catch (NoSuchFileException e) {
      throw notFound(name);
    } catch (IOException e) {
      throw unavailable(name, e);
    }
  }

  @Override
  public void put(String name, Content content) throws IOException {
    Path target = file(name);
    try {
      Path partial = root.resolve(PARTIAL);
      makeDirectories(partial);
      makeDirectories(target.getParent());
      Path temporary = Files.createTempFile(partial, "put-", null);
      try {
        failPoint.reached(BackupFailPoints.FOLDER_BEFORE_WRITE);
        write(temporary, content);
        failPoint.reached(BackupFailPoints.FOLDER_BEFORE_RENAME);
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException e) {
        Files.deleteIfExists(temporary);
        throw e;
      }
      failPoint.reached(BackupFailPoints.FOLDER_BEFORE_DIRECTORY_SYNC);
      force(target.getParent());
      failPoint.reached(BackupFailPoints.FOLDER_AFTER_DIRECTORY_SYNC);
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw unavailable(name, e);
    }
  }

  private void write(Path temporary, Content content) throws IOException {
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
        InputStream in = content.open()) {
      byte[] buffer = new byte[BUFFER_BYTES];
      long written = 0;
      for (int n = in.readNBytes(buffer, 0, buffer.length); n > 0; n = in.readNBytes(buffer, 0, buffer.length)) {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        written += n;
      }
      if (written != content.bytes()) {
        throw new IOException("read " + written + " bytes of " + content.bytes());
      }
      failPoint.reached(BackupFailPoints.FOLDER_BEFORE_SYNC);
      channel.force(true);
    }
  }

  @Override
  public List<StoredObject> list(String prefix) throws IOException {
    int slash = prefix.lastIndexOf('/');
    Path start = slash < 0 ? root : file(prefix.substring(0, slash));
    List<StoredObject> found = new ArrayList<>();
    if (!Files.isDirectory(start)) {
      return found;
    }
    try {
      Files.walkFileTree(start, new Lister(prefix, found));
    } catch (IOException e) {
      throw unavailable(prefix, e);
    }
    found.sort(Comparator.comparing(StoredObject::name));
    return found;
  }

  /** Collects the files whose names begin with the prefix; one that goes while the walk is on is not there. */
  private final class Lister extends SimpleFileVisitor<Path> {
    private final String prefix;
    private final List<StoredObject> found;

    Lister(String prefix, List<StoredObject> found) {
      this.prefix = prefix;
      this.found = found;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      return directory.equals(root.resolve(PARTIAL)) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      String name = root.relativize(file).toString();
      if (attributes.isRegularFile() && name.startsWith(prefix)) {
        found.add(stored(name, attributes));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
      if (failure instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw failure;
    }
  }

  @Override
  public void delete(String name) throws IOException {
    Path file = file(name);
    try {
      failPoint.reached(BackupFailPoints.FOLDER_BEFORE_DELETE);
      if (Files.deleteIfExists(file)) {
        force(file.getParent());
      }
    } catch (IOException e) {
      throw unavailable(name, e);
    }
  }

  @Override
  public int removePartial(Instant before) throws IOException {
    Path partial = root.resolve(PARTIAL);
    int removed = 0;
    if (!Files.isDirectory(partial)) {
      return removed;
    }
    try (var files = Files.newDirectoryStream(partial)) {
      for (Path file : files) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(before) && Files.deleteIfExists(file)) {
          removed++;
        }
      }
    } catch (NoSuchFileException e) {
      // The write has ended meanwhile; the next run goes on.
      return removed;
    } catch (IOException e) {
      throw unavailable(PARTIAL, e);
    }
    return removed;
  }

  @Override
  public String uri(String name) {
    return "file://" + file(name);
  }

  @Override
  public void close() {}

  private Path file(String name) {
    return root.resolve(ObjectNames.object(name));
  }

  private static StoredObject stored(String name, BasicFileAttributes attributes) {
    return new StoredObject(name, attributes.size(), attributes.lastModifiedTime().toInstant());
  }

  /** Each directory that is made is durable in the one above it. */
  private static void makeDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null) {
      makeDirectories(parent);
    }
    try {
      Files.createDirectory(directory);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw e;
      }
    }
    if (parent != null) {
      force(parent);
    }
  }

  private static void force(Path fileOrDirectory) throws IOException {
    try (FileChannel channel = FileChannel.open(fileOrDirectory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private BackupException notFound(String name) {
    return new BackupException(BackupException.Reason.NOT_FOUND, uri(name) + ": no such object");
  }

  private BackupException unavailable(String name, IOException cause) {
    return new BackupException(BackupException.Reason.DESTINATION_UNAVAILABLE, root.resolve(name) + ": " + describe(cause), cause);
  }

  /** File system exceptions often carry nothing but the path. */
  private static String describe(IOException failure) {
    String kind = failure.getClass().getSimpleName();
    return failure.getMessage() == null ? kind : kind + ": " + failure.getMessage();
  }
}
