package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupScheduleSpec;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.Names;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which backups of a cluster are kept.
 *
 * <ol>
 *   <li>A run of a schedule is kept while its {@code keepLast} or its {@code keepFor} names it; what a user asked for, and what another cluster's data is in, always.
 *   <li>What is taken by itself, and what was found wanting, is kept as long as any older run of a schedule is; without a schedule its two newest chains are
 *       kept.
 *   <li>A chain is kept or deleted as a whole; so nothing goes that a kept delta needs. The newest chain that can be restored and the newest one that was
 *       verified are always kept, and so is one of which something is under way.
 *   <li>Of failed runs the newest three of each schedule, and of those taken by themselves, are kept.
 * </ol>
 *
 * Nothing is deleted while a run is under way or when the newest one has failed: the space of old backups is freed by new ones alone.
 */
public final class Retention {
  /** Chains that are kept of what is taken by itself, when no schedule says more. */
  static final int CHAINS = 2;

  /** Failed runs that are kept, so that one can see why. */
  static final int FAILURES = 3;

  private final Instant at;
  private final List<KvorumBackup> backups;
  private final List<KvorumBackupSchedule> schedules;
  private final Chains chains;

  /**
   * @param cluster name
   * @param all backups of the namespace
   * @param schedules of the namespace
   */
  public Retention(Instant at, String cluster, List<KvorumBackup> all, List<KvorumBackupSchedule> schedules) {
    this.at = at;
    this.backups = all.stream().filter(backup -> backup.getSpec().clusterRef().equals(cluster)).sorted(Chains.BY_AGE).toList();
    this.chains = new Chains(backups);
    this.schedules = schedules.stream()
        .filter(schedule -> schedule.getSpec().clusterRef().equals(cluster) && schedule.getMetadata().getDeletionTimestamp() == null).toList();
  }

  /** What may be deleted now, in an order in which nothing that is needed goes before what needs it. */
  public List<KvorumBackup> deletable() {
    if (!settled()) {
      return List.of();
    }
    List<List<KvorumBackup>> groups = chains.groups();
    Set<String> kept = kept();
    Optional<List<KvorumBackup>> newest = newest(groups, false);
    Optional<List<KvorumBackup>> verified = newest(groups, true);
    List<KvorumBackup> gone = new ArrayList<>();
    for (List<KvorumBackup> chain : groups) {
      boolean protects = newest.filter(one -> one == chain).isPresent() || verified.filter(one -> one == chain).isPresent();
      if (!protects && chain.stream().noneMatch(backup -> kept.contains(name(backup)) || !backup.known().phase().isFinal())) {
        gone.addAll(chain.reversed());
      }
    }
    gone.addAll(failures());
    return gone.stream().filter(backup -> backup.getMetadata().getDeletionTimestamp() == null).toList();
  }

  /** Nothing is under way, and the newest run that is one of ours has ended well. */
  private boolean settled() {
    boolean active = backups.stream().anyMatch(backup -> backup.known().phase() == Phase.RUNNING || backup.known().phase() == Phase.PENDING);
    List<KvorumBackup> ended = backups.stream().filter(backup -> backup.known().phase().isFinal() && ours(backup)).toList();
    return !active && !ended.isEmpty() && ended.getLast().known().phase() != Phase.FAILED;
  }

  private static boolean ours(KvorumBackup backup) {
    return !schedule(backup).isEmpty() || continuous(backup);
  }

  /** Names of those that something names: the rules of the schedules, and whoever asked for one by hand. */
  private Set<String> kept() {
    Set<String> kept = new HashSet<>();
    Set<String> known = new HashSet<>();
    for (KvorumBackupSchedule schedule : schedules) {
      known.add(schedule.getMetadata().getName());
      kept(schedule).forEach(backup -> kept.add(name(backup)));
    }
    // Runs of a schedule that is gone are the user's from then on.
    backups.stream().filter(backup -> !continuous(backup) && !known.contains(schedule(backup))).forEach(backup -> kept.add(name(backup)));
    Optional<KvorumBackup> oldest = backups.stream().filter(backup -> known.contains(schedule(backup)) && kept.contains(name(backup))).findFirst();
    if (oldest.isPresent()) {
      backups.stream().filter(backup -> continuous(backup) || !backup.known().usable())
          .filter(backup -> Chains.BY_AGE.compare(backup, oldest.get()) >= 0).forEach(backup -> kept.add(name(backup)));
    } else {
      List<List<KvorumBackup>> own = new Chains(backups.stream().filter(backup -> continuous(backup) && !chains.upTo(backup).isEmpty()).toList()).groups();
      own.stream().sorted(Comparator.comparing(List::getLast, Chains.BY_AGE.reversed())).limit(CHAINS).flatMap(List::stream)
          .forEach(backup -> kept.add(name(backup)));
    }
    // Who deletes a backup by hand means what is built on it as well, unless a rule wants that.
    backups.stream().filter(this::doomed).filter(backup -> continuous(backup) || backup.getMetadata().getDeletionTimestamp() != null)
        .forEach(backup -> kept.remove(name(backup)));
    return kept;
  }

  /** It, or what it builds on, is being deleted. */
  private boolean doomed(KvorumBackup backup) {
    Set<String> seen = new HashSet<>();
    Optional<KvorumBackup> link = Optional.of(backup);
    while (link.isPresent() && seen.add(name(link.get()))) {
      if (link.get().getMetadata().getDeletionTimestamp() != null) {
        return true;
      }
      link = chains.previous(link.get());
    }
    return false;
  }

  private List<KvorumBackup> kept(KvorumBackupSchedule schedule) {
    KvorumBackupScheduleSpec.Retention rule = schedule.getSpec().retention();
    List<KvorumBackup> runs =
        backups.stream().filter(backup -> Chains.usable(backup) && schedule(backup).equals(schedule.getMetadata().getName())).toList();
    int last = rule.keepLast() == null ? 0 : rule.keepLast();
    List<KvorumBackup> kept = new ArrayList<>(runs.subList(Math.max(0, runs.size() - last), runs.size()));
    Optional<Duration> span = rule.keptFor();
    span.ifPresent(age -> runs.stream().filter(run -> completed(run).plus(age).isAfter(at)).forEach(kept::add));
    return kept;
  }

  private static Instant completed(KvorumBackup backup) {
    return Api.time(backup.known().completedAt()).orElse(Instant.MAX);
  }

  /** The chain with the newest backup that can be restored, or that was found equal when it was. */
  private Optional<List<KvorumBackup>> newest(List<List<KvorumBackup>> groups, boolean verified) {
    return backups.reversed().stream()
        .filter(backup -> !verified || backup.known().phase() == Phase.VERIFIED)
        .filter(backup -> !chains.upTo(backup).isEmpty())
        .findFirst()
        .flatMap(backup -> groups.stream().filter(chain -> chain.contains(backup)).findFirst());
  }

  private List<KvorumBackup> failures() {
    List<KvorumBackup> gone = new ArrayList<>();
    List<KvorumBackup> failed = backups.stream().filter(backup -> backup.known().phase() == Phase.FAILED && backup.known().artefact() == null).toList();
    Set<String> names = new HashSet<>(schedules.stream().map(schedule -> schedule.getMetadata().getName()).toList());
    for (String owner : names) {
      List<KvorumBackup> own = failed.stream().filter(backup -> schedule(backup).equals(owner)).toList();
      gone.addAll(own.subList(0, Math.max(0, own.size() - FAILURES)));
    }
    List<KvorumBackup> own = failed.stream().filter(Retention::continuous).toList();
    gone.addAll(own.subList(0, Math.max(0, own.size() - FAILURES)));
    return gone;
  }

  /** Name of the schedule whose run it is; empty for none. */
  static String schedule(KvorumBackup backup) {
    return label(backup, Names.SCHEDULE);
  }

  /** It was taken by itself. */
  static boolean continuous(KvorumBackup backup) {
    return label(backup, Names.CONTINUOUS).equals("true");
  }

  private static String label(KvorumBackup backup, String label) {
    Map<String, String> labels = backup.getMetadata().getLabels();
    return labels == null ? "" : labels.getOrDefault(label, "");
  }

  private static String name(KvorumBackup backup) {
    return backup.getMetadata().getName();
  }
}
