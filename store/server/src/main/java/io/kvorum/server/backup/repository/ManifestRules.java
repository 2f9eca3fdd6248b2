package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import java.util.Optional;
import java.util.stream.Stream;

/** What holds for every manifest by itself. What holds between the manifests of a chain is {@link Chain}'s. */
final class ManifestRules {
  private ManifestRules() {}

  /** The first rule that it breaks. */
  static Optional<String> problem(BackupManifest manifest) {
    if (!ObjectNames.isBackupId(manifest.id())) {
      return Optional.of("the id is not 1 to 128 letters, digits and . _ -");
    }
    boolean full = manifest.type() == Type.FULL;
    if (full == manifest.previous().isPresent()) {
      return Optional.of(full ? "a full backup with a previous one" : "a delta without a previous backup");
    }
    if (full != manifest.state().isPresent() || !full && !manifest.segments().isEmpty()) {
      return Optional.of(full ? "a full backup without state" : "a delta with segments or state");
    }
    if (!hexes(manifest).allMatch(ObjectNames::isHex)) {
      return Optional.of("names objects that are not 64 hexadecimal digits");
    }
    return span(manifest.span()).or(() -> log(manifest));
  }

  private static Stream<String> hexes(BackupManifest manifest) {
    return Stream.of(
            manifest.segments().stream().map(BackupManifest.Segment::hex),
            manifest.log().stream().map(LogChunk::hex),
            manifest.state().stream().map(BackupManifest.State::hex))
        .flatMap(hexes -> hexes);
  }

  private static Optional<String> span(Span span) {
    // Times are not compared: they come from the clocks of different members.
    boolean ordered = span.fromIndex() <= span.toIndex() && span.fromRevision() <= span.toRevision();
    return ordered ? Optional.empty() : Optional.of("the span ends before it begins");
  }

  /** The chunks cover the span without a hole, and each names the one before it. */
  private static Optional<String> log(BackupManifest manifest) {
    Span span = manifest.span();
    long index = span.fromIndex();
    String hex = null;
    for (LogChunk chunk : manifest.log()) {
      if (chunk.firstIndex() != index + 1 || chunk.lastIndex() < chunk.firstIndex()) {
        return Optional.of("the log has a hole behind index " + index);
      }
      if (chunk.lastRevision() < chunk.firstRevision() || chunk.firstRevision() < span.fromRevision() || chunk.lastRevision() > span.toRevision()) {
        return Optional.of("the log chunk from index " + chunk.firstIndex() + " has revisions outside of the span");
      }
      if (hex != null && !chunk.previousHex().equals(hex)) {
        return Optional.of("the log chunk from index " + chunk.firstIndex() + " does not name the one before it");
      }
      index = chunk.lastIndex();
      hex = chunk.hex();
    }
    return index == span.toIndex() ? Optional.empty() : Optional.of("the log ends at index " + index + ", the span at " + span.toIndex());
  }
}
