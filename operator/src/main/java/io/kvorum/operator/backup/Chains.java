package io.kvorum.operator.backup;

import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Artefact;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How the artefacts of one repository build on each other: a full one, and deltas each of which needs the one before. */
public final class Chains {
  private Chains() {}

  /** By the end of the run, then by the last revision, then by name; runs without an end come last. */
  public static final Comparator<KvorumBackup> BY_AGE =
      Comparator.comparing((KvorumBackup backup) -> backup.known().completedAt().isEmpty() ? "~" : backup.known().completedAt())
          .thenComparing(backup -> revision(backup)).thenComparing(backup -> backup.getMetadata().getName());

  /** The last revision in it; 0 without an artefact. */
  public static long revision(KvorumBackup backup) {
    return backup.known().artefact() == null ? 0 : backup.known().artefact().toRevision();
  }

  /** It can be restored as far as its own artefact goes, and nobody deletes it. */
  public static boolean usable(KvorumBackup backup) {
    return backup.known().usable() && backup.getMetadata().getDeletionTimestamp() == null;
  }

  /** The same repository, and the same key. */
  public static boolean samePlace(KvorumBackupStatus one, KvorumBackupStatus other) {
    return one.destination() != null && one.destination().equals(other.destination()) && one.encryptionKeySecretRef().equals(other.encryptionKeySecretRef());
  }

  /** The backup that this one builds on, among all; empty for a full one, and when its object is gone. */
  public static Optional<KvorumBackup> previous(KvorumBackup backup, List<KvorumBackup> all) {
    Artefact artefact = backup.known().artefact();
    if (artefact == null || artefact.previous().isEmpty()) {
      return Optional.empty();
    }
    return all.stream().filter(other -> other.known().artefact() != null && other.known().artefact().id().equals(artefact.previous())
        && samePlace(backup.known(), other.known())).findFirst();
  }

  /** From the full one up to this one; empty when one of them is missing, was found wanting or is being deleted. */
  public static List<KvorumBackup> upTo(KvorumBackup backup, List<KvorumBackup> all) {
    List<KvorumBackup> chain = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    KvorumBackup link = backup;
    while (seen.add(link.getMetadata().getName()) && usable(link)) {
      chain.addFirst(link);
      if (link.known().artefact().previous().isEmpty()) {
        return chain;
      }
      Optional<KvorumBackup> before = previous(link, all);
      if (before.isEmpty()) {
        return List.of();
      }
      link = before.get();
    }
    return List.of();
  }

  /** Those that build directly on this one, those that are being deleted too. */
  public static List<KvorumBackup> dependents(KvorumBackup backup, List<KvorumBackup> all) {
    Artefact artefact = backup.known().artefact();
    if (artefact == null) {
      return List.of();
    }
    return all.stream().filter(other -> other.known().artefact() != null && other.known().artefact().previous().equals(artefact.id())
        && samePlace(backup.known(), other.known())).toList();
  }

  /** All that belong together, as sets, oldest first: what builds on what, usable or not; each backup with an artefact is in one of them. */
  public static List<List<KvorumBackup>> groups(List<KvorumBackup> all) {
    List<KvorumBackup> left = new ArrayList<>(all.stream().filter(backup -> backup.known().artefact() != null).sorted(BY_AGE).toList());
    List<List<KvorumBackup>> groups = new ArrayList<>();
    while (!left.isEmpty()) {
      List<KvorumBackup> group = new ArrayList<>(List.of(left.removeFirst()));
      for (int i = 0; i < group.size(); i++) {
        KvorumBackup member = group.get(i);
        List<KvorumBackup> near = new ArrayList<>(dependents(member, left));
        previous(member, left).ifPresent(near::add);
        left.removeAll(near);
        group.addAll(near);
      }
      group.sort(BY_AGE);
      groups.add(group);
    }
    return groups;
  }

  /** The newest backup of this cluster's data in a repository that can be restored with all that it builds on. */
  public static Optional<KvorumBackup> tip(List<KvorumBackup> all, Destination destination, String key, String clusterID) {
    return all.stream()
        .filter(backup -> usable(backup) && destination.equals(backup.known().destination()) && key.equals(backup.known().encryptionKeySecretRef())
            && clusterID.equals(backup.known().artefact().clusterID()))
        .max(BY_AGE)
        .filter(newest -> !upTo(newest, all).isEmpty());
  }
}
