package io.kvorum.raft.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The operations on files that the log needs, so that a test can make them fail, fill the disk or lose what was not forced. */
public interface Disk {
  /** Creates the directory and its parents if they are missing. */
  void createDirectory(Path directory) throws IOException;

  /** Names (without path) of the files in the directory, in no particular order; empty when there is no such directory. */
  List<String> list(Path directory) throws IOException;

  /** Creates a file for reading and writing; an existing one is emptied. */
  DiskFile create(Path file) throws IOException;

  /** Opens an existing file; read-only when {@code writable} is false. */
  DiskFile open(Path file, boolean writable) throws IOException;

  /** Replaces {@code to} atomically. Durable after {@link #syncDirectory}. */
  void rename(Path from, Path to) throws IOException;

  /** Deletes the file; a missing one is not an error. */
  void delete(Path file) throws IOException;

  /** Makes creations, renames and deletions in the directory durable. */
  void syncDirectory(Path directory) throws IOException;
}
