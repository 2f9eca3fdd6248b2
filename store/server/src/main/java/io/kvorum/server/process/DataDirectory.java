package io.kvorum.server.process;

import io.kvorum.server.base.Version;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * A member's data directory: {@code member/} with a marker that says whose it is, {@code log/}, {@code store/} and {@code received/}, all of mode 0700. While
 * open it is locked against any other process.
 *
 * <p>Opening, in this order:
 *
 * <ol>
 *   <li>etcd's own data ({@code member/wal}, {@code member/snap}) is refused: it is moved in from a snapshot, never taken over.
 *   <li>The directory is made and locked; a second process is refused.
 *   <li>A marker of a newer format is refused, and so is a directory with a log or a store but no marker.
 *   <li>Without a marker one is written, forced, renamed into place, and the directory is forced. A crash before leaves an empty directory.
 * </ol>
 */
final class DataDirectory implements AutoCloseable {
  /** The format that this version writes; it opens this one and older ones. */
  static final int FORMAT = 1;

  /** In the marker: where the log is. */
  private static final String LOG = "log";

  private static final String INSIDE = "inside";
  private static final String MARKER = "kvorum";
  private static final String LOCK = "lock";

  private final Path root;
  private final Path logDirectory;
  private final FileChannel lockChannel;
  private final boolean created;

  private DataDirectory(Path root, Path logDirectory, FileChannel lockChannel, boolean created) {
    this.root = root;
    this.logDirectory = logDirectory;
    this.lockChannel = lockChannel;
    this.created = created;
  }

  /** The directory cannot be used; one line for the user. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  /**
   * Opens or makes the directory.
   *
   * @param walDirectory where the log is kept, null for inside
   * @throws RefusedException when it belongs to something else, is newer, locked or half-initialised
   */
  static DataDirectory open(Path root, Path walDirectory) throws IOException, RefusedException {
    Path member = root.resolve("member");
    Path log = walDirectory == null ? member.resolve("log") : walDirectory;
    if (Files.exists(root) && !Files.isDirectory(root)) {
      throw new RefusedException(root + " is not a directory");
    }
    for (String etcd : List.of("wal", "snap")) {
      if (Files.exists(member.resolve(etcd))) {
        throw new RefusedException(
            root + " holds data of etcd (member/" + etcd + "), which is not taken over in place: save a snapshot with etcdctl and import that");
      }
    }
    make(root);
    make(member);
    FileChannel channel = lock(root, member.resolve(LOCK));
    boolean opened = false;
    try {
      boolean created = mark(root, member, log);
      checkLog(root, member, log);
      make(log);
      make(member.resolve("store"));
      opened = true;
      return new DataDirectory(root, log, channel, created);
    } finally {
      if (!opened) {
        channel.close();
      }
    }
  }

  /** A member that has a log must not begin another one because a volume is not mounted or an option was left out: what was acknowledged would be gone. */
  private static void checkLog(Path root, Path member, Path log) throws IOException, RefusedException {
    String known = read(member.resolve(MARKER)).getProperty(LOG);
    if (known != null && (!Files.isDirectory(log) || isEmpty(log))) {
      String place = known.equals(INSIDE) ? member.resolve("log").toString() : known;
      throw new RefusedException(root + " has its log in " + place + ", but " + log + " is empty: is a volume missing, or the option --wal-dir?");
    }
  }

  /** Notes where the log is, once it is there. */
  void logBegun() throws IOException, RefusedException {
    Properties content = read(member().resolve(MARKER));
    boolean inside = logDirectory.equals(member().resolve("log"));
    String place = inside ? INSIDE : logDirectory.toAbsolutePath().normalize().toString();
    if (!place.equals(content.getProperty(LOG))) {
      content.setProperty(LOG, place);
      write(member(), content);
    }
  }

  /** Where a member's log is, as far as it is noted; null for inside of the directory. */
  static Path knownLog(Path root) throws IOException, RefusedException {
    String known = read(root.resolve("member").resolve(MARKER)).getProperty(LOG, INSIDE);
    return known.equals(INSIDE) ? null : Path.of(known);
  }

  private static void make(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      try {
        Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (NotDirectoryException e) {
        throw new IOException("a part of " + directory + " is not a directory", e);
      }
    }
  }

  private static FileChannel lock(Path root, Path file) throws IOException, RefusedException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Held within this process: refused like any other holder.
    }
    if (lock == null) {
      channel.close();
      throw new RefusedException(root + " is in use by another process (" + file + " is locked)");
    }
    return channel;
  }

  /** Returns whether the directory is new. */
  private static boolean mark(Path root, Path member, Path log) throws IOException, RefusedException {
    Path marker = member.resolve(MARKER);
    if (Files.exists(marker)) {
      check(marker);
      return false;
    }
    for (Path part : List.of(log, member.resolve("store"), member.resolve("genesis"))) {
      if (Files.exists(part) && (!Files.isDirectory(part) || !isEmpty(part))) {
        throw new RefusedException(root + " is half-initialised: " + part + " is there, but not the marker " + marker);
      }
    }
    Properties content = new Properties();
    content.setProperty("format", Integer.toString(FORMAT));
    content.setProperty("created-by", "kvorum " + Version.kvorum());
    write(member, content);
    force(root, StandardOpenOption.READ);
    return true;
  }

  /** Replaces the marker, whole or not at all. */
  private static void write(Path member, Properties content) throws IOException {
    StringBuilder text = new StringBuilder();
    content.stringPropertyNames().stream().sorted().forEach(key -> text.append(key).append('=').append(content.getProperty(key)).append('\n'));
    Path temporary = member.resolve(MARKER + ".tmp");
    Files.writeString(temporary, text);
    force(temporary, StandardOpenOption.WRITE);
    Files.move(temporary, member.resolve(MARKER), StandardCopyOption.ATOMIC_MOVE);
    force(member, StandardOpenOption.READ);
  }

  /**
   * Notes in the marker whose data this is; once noted it must stay so.
   *
   * @param cluster the cluster's id, hexadecimal
   * @param id the member's id, hexadecimal
   * @throws RefusedException when the directory was mixed up with another member's
   */
  void identify(String cluster, String id) throws IOException, RefusedException {
    Properties content = read(member().resolve(MARKER));
    String known = content.getProperty("cluster-id", cluster) + " " + content.getProperty("member-id", id);
    if (!known.equals(cluster + " " + id)) {
      throw new RefusedException(root + " is marked as that of cluster and member " + known + ", but holds data of " + cluster + " " + id);
    }
    if (!content.containsKey("member-id")) {
      content.setProperty("cluster-id", cluster);
      content.setProperty("member-id", id);
      write(member(), content);
    }
  }

  /** Notes that the member's data is that of another cluster from now on. */
  void reidentify(String cluster, String id) throws IOException, RefusedException {
    Properties content = read(member().resolve(MARKER));
    content.setProperty("cluster-id", cluster);
    content.setProperty("member-id", id);
    write(member(), content);
  }

  private static Properties read(Path marker) throws IOException, RefusedException {
    Properties content = new Properties();
    try (var in = Files.newBufferedReader(marker, StandardCharsets.UTF_8)) {
      content.load(in);
      return content;
    } catch (IllegalArgumentException e) {
      throw new RefusedException("damaged marker " + marker);
    }
  }

  private static void check(Path marker) throws IOException, RefusedException {
    Properties content = read(marker);
    int format;
    try {
      format = Integer.parseInt(content.getProperty("format", ""));
    } catch (NumberFormatException e) {
      throw new RefusedException("damaged marker " + marker);
    }
    if (format > FORMAT) {
      throw new RefusedException(
          marker.getParent().getParent() + " has format " + format + ", written by " + content.getProperty("created-by", "a newer version")
              + "; this version understands up to " + FORMAT);
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }

  private static void force(Path path, StandardOpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  /** Names of other files in the root, which are left alone. */
  List<String> strangers() throws IOException {
    try (Stream<Path> files = Files.list(root)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> !name.equals("member") && !name.equals("fixtures") && !name.equals("lost+found")).sorted().toList();
    }
  }

  boolean isNew() {
    return created;
  }

  Path member() {
    return root.resolve("member");
  }

  Path log() {
    return logDirectory;
  }

  Path store() {
    return member().resolve("store");
  }

  /** Where a received snapshot's files are collected. */
  Path received() {
    return member().resolve("received");
  }

  /** Whether there is a member's data, without opening it. */
  static boolean isMember(Path root) {
    return Files.isRegularFile(root.resolve("member").resolve(MARKER), LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public void close() throws IOException {
    lockChannel.close();
  }
}
