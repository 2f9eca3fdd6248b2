package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A place that keeps whole objects by name: a folder, or a bucket. Names are relative to the place, made of letters, digits, {@code . _ -} and single slashes.
 *
 * <p>What every implementation promises: an object is there whole or not at all; once {@link #put} has returned it is durable, and {@link #find}, {@link #open} and {@link #list} of any
 * process see it. Failures of the place are {@link BackupException} with {@code DESTINATION_UNAVAILABLE}, after bounded retries. One thread at a time.
 */
public interface ObjectStore extends AutoCloseable {
  Optional<StoredObject> find(String name) throws IOException;

  /**
   * The object's bytes; a connection that breaks on the way is taken up again where it broke, a bounded number of times.
   *
   * @throws BackupException {@code NOT_FOUND}
   */
  InputStream open(String name) throws IOException;

  /** Writes the object, in place of one that has the name. */
  void put(String name, Content content) throws IOException;

  /** All objects whose names begin with the prefix, by name. */
  List<StoredObject> list(String prefix) throws IOException;

  /** Removes the object, if it is there. */
  void delete(String name) throws IOException;

  /**
   * Removes what writes that were interrupted before that time left behind and that no name shows.
   *
   * @return how many there were
   */
  int removePartial(Instant before) throws IOException;

  /** The object as people and other tools name it, for example {@code s3://bucket/prefix/backups/a.json}. */
  String uri(String name);

  @Override
  void close() throws IOException;
}
