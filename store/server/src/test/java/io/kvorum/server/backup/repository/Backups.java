package io.kvorum.server.backup.repository;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupManifest.ContentHash;
import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import io.kvorum.server.backup.repository.BackupManifest.Segment;
import io.kvorum.server.backup.repository.BackupManifest.Source;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.State;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import io.kvorum.server.backup.repository.Repository.Kept;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** Backups with made-up content, for tests. A full one ends at its index times 10, a delta goes on from the one before it by 10 entries. */
final class Backups {
  static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");
  static final Source SOURCE = new Source("00000000000000aa", "00000000000000bb", "m1", "0.1.0", 1);

  private static final ContentHash HASH = new ContentHash(4_000_000_000L, 5, 1);

  private Backups() {}

  static EncryptionKey key(int seed) {
    byte[] key = new byte[EncryptionKey.BYTES];
    Arrays.fill(key, (byte) seed);
    return new EncryptionKey(key);
  }

  static Settings settings(InstantSource clock, FailPoint failPoint) {
    return new Settings(RateLimit.NONE, clock, new SecureRandom(), failPoint);
  }

  static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static String hex(long seed) {
    return HexFormat.of().formatHex(bytes(seed, 32));
  }

  static byte[] content(Repository repository, Kind kind, String hex) throws IOException {
    try (InputStream in = repository.read(kind, hex)) {
      return in.readAllBytes();
    }
  }

  /** The names of all files. */
  static List<String> content(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).map(file -> folder.relativize(file).toString()).sorted().toList();
    }
  }

  /** A full backup whose objects are put into the repository: the segments have the seeds given, so that two backups can share some. */
  static BackupManifest full(Repository repository, String id, long ordinal, long... seeds) throws IOException {
    List<Segment> segments = new ArrayList<>();
    for (long seed : seeds) {
      Kept kept = repository.put(Kind.SEGMENT, Content.of(bytes(seed, 1000)));
      segments.add(new Segment("s" + seed, kept.hex(), kept.bytes(), seed, seed));
    }
    Kept state = repository.put(Kind.STATE, Content.of(bytes(-ordinal, 100)));
    long end = ordinal * 10;
    Span span = new Span(end, end, 1, end, end, time(end), time(end), 0);
    return manifest(id, Type.FULL, span, Optional.empty(), segments, List.of(), Optional.of(new State(state.hex(), state.bytes())));
  }

  /** A delta with one chunk of ten entries, which is put into the repository. */
  static BackupManifest delta(Repository repository, String id, Chain before) throws IOException {
    Span last = before.last().manifest().span();
    Kept kept = repository.put(Kind.LOG, Content.of(bytes(id.hashCode(), 500)));
    return delta(id, before.last(), kept.hex(), kept.bytes(), before.lastHex(), last.toIndex());
  }

  static BackupManifest delta(String id, PublishedBackup previous, String hex, long bytes, String previousHex, long from) {
    long to = from + 10;
    Span span = new Span(from, to, 1, from, to, time(from), time(to), 0);
    LogChunk chunk = new LogChunk(hex, bytes, from + 1, to, from, to, time(from + 1), time(to), previousHex);
    Previous link = new Previous(previous.id(), previous.sha256());
    return manifest(id, Type.DELTA, span, Optional.of(link), List.of(), List.of(chunk), Optional.empty());
  }

  static Instant time(long index) {
    return EPOCH.plusSeconds(index);
  }

  static BackupManifest manifest(
      String id, Type type, Span span, Optional<Previous> previous, List<Segment> segments, List<LogChunk> log, Optional<State> state) {
    Instant completed = span.toTime().plusSeconds(1);
    return new BackupManifest(id, type, SOURCE, span.toTime(), completed, span, HASH, previous, segments, log, state, 1, 1);
  }
}
