package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A full backup and the deltas that go on from it, in order. Its links are checked when it is made: each delta names the manifest before it by hash, begins where that ends, comes from the same
 * cluster, and its first log chunk names the last one before it.
 *
 * @param backups the full one first
 */
public record Chain(List<PublishedBackup> backups) {
  /** More than any schedule makes before it takes a full one again. */
  static final int LENGTH_MAX = 100_000;

  public Chain {
    backups = List.copyOf(backups);
  }

  public PublishedBackup full() {
    return backups.getFirst();
  }

  public PublishedBackup last() {
    return backups.getLast();
  }

  /** The log of the whole chain, in order. */
  public List<LogChunk> log() {
    return backups.stream().flatMap(backup -> backup.manifest().log().stream()).toList();
  }

  /** The first state that can be had: what the segments hold. */
  private Span from() {
    return full().manifest().span();
  }

  private Span to() {
    return last().manifest().span();
  }

  /**
   * The chain that leads to a backup.
   *
   * @throws BackupException {@code NOT_FOUND} when the backup is not among them; {@code DELTA_GAP} when one of the backups before it is not, or a link does not fit
   */
  public static Chain endingAt(Collection<PublishedBackup> backups, String id) throws BackupException {
    Map<String, PublishedBackup> byId = backups.stream().collect(Collectors.toMap(PublishedBackup::id, backup -> backup));
    PublishedBackup backup = byId.get(id);
    if (backup == null) {
      throw new BackupException(Reason.NOT_FOUND, "there is no backup " + id);
    }
    List<PublishedBackup> path = new ArrayList<>(List.of(backup));
    Set<String> seen = new HashSet<>(Set.of(id));
    while (path.getLast().manifest().previous().isPresent()) {
      Previous previous = path.getLast().manifest().previous().get();
      backup = byId.get(previous.id());
      if (backup == null || !seen.add(previous.id()) || path.size() > LENGTH_MAX) {
        throw new BackupException(Reason.DELTA_GAP, "backup " + path.getLast().id() + " goes on from " + previous.id() + ", which is not there");
      }
      path.add(backup);
    }
    Chain chain = new Chain(List.of(path.getLast()));
    for (PublishedBackup next : path.reversed().subList(1, path.size())) {
      chain = chain.with(next);
    }
    return chain;
  }

  private Chain with(PublishedBackup next) throws BackupException {
    checkNext(next.manifest());
    List<PublishedBackup> longer = new ArrayList<>(backups);
    longer.add(next);
    return new Chain(longer);
  }

  /**
   * The delta goes on from where this chain ends.
   *
   * @throws BackupException {@code DELTA_GAP}
   */
  public void checkNext(BackupManifest delta) throws BackupException {
    Optional<String> problem = problem(delta);
    if (problem.isPresent()) {
      throw new BackupException(Reason.DELTA_GAP, "backup " + delta.id() + " does not go on from " + last().id() + ": " + problem.get());
    }
  }

  private Optional<String> problem(BackupManifest delta) {
    Span before = to();
    Span span = delta.span();
    if (delta.type() != Type.DELTA || !delta.previous().equals(Optional.of(new Previous(last().id(), last().sha256())))) {
      return Optional.of("it names another manifest");
    }
    if (!delta.source().clusterId().equals(last().manifest().source().clusterId())) {
      return Optional.of("it comes from cluster " + delta.source().clusterId() + ", not " + last().manifest().source().clusterId());
    }
    if (span.fromIndex() != before.toIndex() || span.fromRevision() != before.toRevision()) {
      return Optional.of(
          "it begins at index " + span.fromIndex() + ", revision " + span.fromRevision() + ", not at " + before.toIndex() + ", revision " + before.toRevision());
    }
    if (span.term() < before.term()) {
      return Optional.of("its term is below " + before.term());
    }
    if (!delta.log().isEmpty() && !delta.log().getFirst().previousHex().equals(lastHex())) {
      return Optional.of("its first log chunk goes on from another chunk");
    }
    return Optional.empty();
  }

  /** Where the log of the next delta goes on from: the hash of the last chunk; empty when the chain has none. */
  public String lastHex() {
    return backups.reversed().stream().map(backup -> backup.manifest().log()).filter(log -> !log.isEmpty()).findFirst().map(log -> log.getLast().hex()).orElse("");
  }

  /** Whether the state can be made from it. */
  public boolean covers(Target target) {
    return switch (target) {
      case Target.Latest latest -> true;
      case Target.AtRevision at -> at.revision() >= from().fromRevision() && at.revision() <= to().toRevision();
      case Target.AtTime at -> !at.time().isBefore(from().fromTime()) && !at.time().isAfter(to().toTime());
    };
  }

  /** What it covers, for people. */
  private String range() {
    return "revisions " + from().fromRevision() + " to " + to().toRevision() + ", " + from().fromTime() + " to " + to().toTime() + " (" + full().id()
        + (backups.size() > 1 ? " to " + last().id() : "") + ")";
  }

  /**
   * The chain to restore from: of those that reach the target the one with the newest full backup, and of it no more than is needed. A chain with a link that does not fit ends before it.
   *
   * @throws BackupException {@code NOT_FOUND} when none reaches it, with the ranges that there are
   */
  public static Chain reaching(Collection<PublishedBackup> backups, Target target) throws BackupException {
    List<Chain> chains = new ArrayList<>();
    for (PublishedBackup full : backups) {
      if (full.manifest().type() == Type.FULL) {
        chains.addAll(from(full, backups));
      }
    }
    Optional<Chain> best = Optional.empty();
    for (Chain chain : chains) {
      if (chain.covers(target) && (best.isEmpty() || chain.isBetter(best.get(), target))) {
        best = Optional.of(chain);
      }
    }
    if (best.isPresent()) {
      return best.get().shortened(target);
    }
    String ranges = chains.isEmpty() ? "there is no full backup" : chains.stream().map(Chain::range).distinct().collect(Collectors.joining("; "));
    throw new BackupException(Reason.NOT_FOUND, "no chain of backups reaches " + target + "; covered: " + ranges);
  }

  /** All chains that begin with it and cannot go on: more than one when two deltas go on from the same backup. */
  private static List<Chain> from(PublishedBackup full, Collection<PublishedBackup> backups) {
    Map<String, List<PublishedBackup>> next = new HashMap<>();
    for (PublishedBackup backup : backups) {
      backup.manifest().previous().ifPresent(previous -> next.computeIfAbsent(previous.id(), id -> new ArrayList<>()).add(backup));
    }
    List<Chain> ended = new ArrayList<>();
    List<Chain> open = new ArrayList<>(List.of(new Chain(List.of(full))));
    while (!open.isEmpty()) {
      Chain chain = open.removeLast();
      List<PublishedBackup> fitting = next.getOrDefault(chain.last().id(), List.of()).stream().filter(backup -> chain.problem(backup.manifest()).isEmpty()).toList();
      if (fitting.isEmpty() || chain.backups.size() > LENGTH_MAX) {
        ended.add(chain);
      }
      for (PublishedBackup backup : fitting) {
        List<PublishedBackup> longer = new ArrayList<>(chain.backups);
        longer.add(backup);
        open.add(new Chain(longer));
      }
    }
    return ended;
  }

  private boolean isBetter(Chain other, Target target) {
    int newer =
        target instanceof Target.Latest
            ? to().toTime().compareTo(other.to().toTime())
            : full().manifest().completedAt().compareTo(other.full().manifest().completedAt());
    return newer > 0 || newer == 0 && to().toIndex() > other.to().toIndex();
  }

  private Chain shortened(Target target) {
    if (target instanceof Target.Latest) {
      return this;
    }
    for (int length = 1; length < backups.size(); length++) {
      Chain shorter = new Chain(backups.subList(0, length));
      if (shorter.covers(target)) {
        return shorter;
      }
    }
    return this;
  }
}
