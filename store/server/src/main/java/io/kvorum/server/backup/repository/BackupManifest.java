package io.kvorum.server.backup.repository;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What one backup consists of. Its content is the segments and the state as of log index {@code span.fromIndex} (full), and the committed log behind that up to {@code span.toIndex}.
 *
 * @param id letters, digits and {@code . _ -}, at most 128
 * @param startedAt when the run began, by the clock of the process that made it
 * @param completedAt when all but the manifest was there, by the same clock
 * @param previous the backup that a delta goes on from; empty for a full one
 * @param segments of a full backup, in revision order; empty for a delta
 * @param log in order of the index, without a hole; covers {@code (span.fromIndex, span.toIndex]}
 * @param state the small state that belongs to the segments; empty for a delta
 * @param bytes of everything that the backup names, as it was before the encryption
 * @param newBytes of what this run sent, as stored
 */
public record BackupManifest(
    String id,
    Type type,
    Source source,
    Instant startedAt,
    Instant completedAt,
    Span span,
    ContentHash contentHash,
    Optional<Previous> previous,
    List<Segment> segments,
    List<LogChunk> log,
    Optional<State> state,
    long bytes,
    long newBytes) {
  public BackupManifest {
    segments = List.copyOf(segments);
    log = List.copyOf(log);
  }

  /** Whether it stands for itself. */
  public enum Type {
    FULL("full"),
    DELTA("delta");

    private final String word;

    Type(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }

  /**
   * The member that it was taken from.
   *
   * @param clusterId 16 hexadecimal digits
   * @param memberId 16 hexadecimal digits
   * @param featureLevel of the cluster at that time
   */
  public record Source(String clusterId, String memberId, String memberName, String kvorumVersion, int featureLevel) {}

  /**
   * What of the cluster's history it holds. Bounds are states: the one after entry {@code fromIndex} (revision {@code fromRevision}, at the time {@code fromTime}), up to the one after entry
   * {@code toIndex}. A delta begins with the state with which the previous backup ends.
   *
   * @param term of the entry at {@code toIndex}
   * @param fromTime the leader's clock in the last entry up to {@code fromIndex}, or later as long as nothing was committed since
   * @param toTime everything that was committed up to this time is in
   * @param compactRevision of the state at {@code toIndex}; 0 when never compacted
   */
  public record Span(
      long fromIndex, long toIndex, long term, long fromRevision, long toRevision, Instant fromTime, Instant toTime, long compactRevision) {}

  /**
   * HashKV of the live member, with which a restored copy is compared.
   *
   * @param hash unsigned 32 bits
   */
  public record ContentHash(long hash, long revision, long compactRevision) {}

  /**
   * @param sha256 of the previous backup's manifest as stored, hexadecimal
   */
  public record Previous(String id, String sha256) {}

  /**
   * @param name of the segment in the member's store
   * @param hex the object's name in the repository
   * @param bytes before the encryption
   * @param firstRevision of its records
   * @param lastRevision of its records
   */
  public record Segment(String name, String hex, long bytes, long firstRevision, long lastRevision) {}

  /**
   * A piece of the committed log.
   *
   * @param hex the object's name in the repository, which is its content's hash
   * @param bytes before the encryption
   * @param firstRevision of the state before its first entry
   * @param lastRevision of the state after its last entry
   * @param firstTime the leader's clock in its first entry
   * @param lastTime the leader's clock in its last entry
   * @param previousHex of the chunk before it, in this backup or in the nearest one before it in the chain that has any; empty for the first of a chain
   */
  public record LogChunk(
      String hex, long bytes, long firstIndex, long lastIndex, long firstRevision, long lastRevision, Instant firstTime, Instant lastTime, String previousHex) {}

  /**
   * @param hex the object's name in the repository
   * @param bytes before the encryption
   */
  public record State(String hex, long bytes) {}
}
