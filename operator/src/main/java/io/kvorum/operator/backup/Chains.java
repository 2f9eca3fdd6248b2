package io.kvorum.operator.backup;

import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus.Artefact;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** How artefacts build on each other: a full one, and deltas each of which needs the one before. Made of all backups of a namespace at one moment. */
public final class Chains {
  /** By the end of the run, then by the last revision, then by name; runs without an end come last. */
  public static final Comparator<KvorumBackup> BY_AGE =
      Comparator.comparing((KvorumBackup backup) -> backup.known().completedAt().isEmpty() ? "~" : backup.known().completedAt())
          .thenComparing(Chains::revision).thenComparing(backup -> backup.getMetadata().getName());

  /** Where an artefact is: in one repository, under one key. */
  private record Place(Destination destination, String key, String id) {}

  private final List<KvorumBackup> withArtefact;
  private final Map<Place, KvorumBackup> byPlace = new HashMap<>();
  private final Map<Place, List<KvorumBackup>> byPrevious = new HashMap<>();

  public Chains(List<KvorumBackup> all) {
    this.withArtefact = all.stream().filter(backup -> backup.known().artefact() != null && backup.known().destination() != null).sorted(BY_AGE).toList();
    for (KvorumBackup backup : withArtefact) {
      Artefact artefact = backup.known().artefact();
      byPlace.putIfAbsent(place(backup, artefact.id()), backup);
      if (!artefact.previous().isEmpty()) {
        byPrevious.computeIfAbsent(place(backup, artefact.previous()), place -> new ArrayList<>()).add(backup);
      }
    }
  }

  private static Place place(KvorumBackup backup, String id) {
    return new Place(backup.known().destination(), backup.known().encryptionKeySecretRef(), id);
  }

  /** The last revision in it; 0 without an artefact. */
  public static long revision(KvorumBackup backup) {
    return backup.known().artefact() == null ? 0 : backup.known().artefact().toRevision();
  }

  /** It has an artefact that was not found wanting, and nobody deletes it. */
  public static boolean usable(KvorumBackup backup) {
    return backup.known().usable() && backup.getMetadata().getDeletionTimestamp() == null;
  }

  /** The backup that this one builds on; empty for a full one, and when its object is gone. */
  public Optional<KvorumBackup> previous(KvorumBackup backup) {
    Artefact artefact = backup.known().artefact();
    return artefact == null || artefact.previous().isEmpty() ? Optional.empty() : Optional.ofNullable(byPlace.get(place(backup, artefact.previous())));
  }

  /** From the full one up to this one; empty when one of them is missing, was found wanting or is being deleted. */
  public List<KvorumBackup> upTo(KvorumBackup backup) {
    Deque<KvorumBackup> chain = new ArrayDeque<>();
    Set<String> seen = new HashSet<>();
    Optional<KvorumBackup> link = Optional.of(backup);
    while (link.isPresent() && seen.add(link.get().getMetadata().getName()) && usable(link.get())) {
      chain.addFirst(link.get());
      if (link.get().known().artefact().previous().isEmpty()) {
        return List.copyOf(chain);
      }
      link = previous(link.get());
    }
    return List.of();
  }

  /** Those that build directly on this one, those that are being deleted too. */
  public List<KvorumBackup> dependents(KvorumBackup backup) {
    Artefact artefact = backup.known().artefact();
    return artefact == null || backup.known().destination() == null ? List.of() : byPrevious.getOrDefault(place(backup, artefact.id()), List.of());
  }

  /** All that belong together, as sets, oldest first: what builds on what, usable or not; each backup with an artefact is in one of them. */
  public List<List<KvorumBackup>> groups() {
    Set<KvorumBackup> done = Collections.newSetFromMap(new IdentityHashMap<>());
    List<List<KvorumBackup>> groups = new ArrayList<>();
    for (KvorumBackup first : withArtefact) {
      List<KvorumBackup> group = new ArrayList<>();
      Deque<KvorumBackup> open = new ArrayDeque<>(List.of(first));
      while (!open.isEmpty()) {
        KvorumBackup member = open.poll();
        if (done.add(member)) {
          group.add(member);
          open.addAll(dependents(member));
          previous(member).ifPresent(open::add);
        }
      }
      if (!group.isEmpty()) {
        group.sort(BY_AGE);
        groups.add(group);
      }
    }
    return groups;
  }

  /** From the full one to the newest backup of this data in a repository; empty when there is none, or one of them is missing, wanting or being deleted. */
  public List<KvorumBackup> newest(Destination destination, String key, String clusterID) {
    return withArtefact.reversed().stream()
        .filter(backup -> usable(backup) && destination.equals(backup.known().destination()) && key.equals(backup.known().encryptionKeySecretRef())
            && clusterID.equals(backup.known().artefact().clusterID()))
        .findFirst().map(this::upTo).orElse(List.of());
  }
}
