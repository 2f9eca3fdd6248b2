package io.kvorum.operator.backup;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupScheduleSpec;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.model.Specs;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A namespace with a cluster "c", its backups and schedules, and Jobs that end as a test says. Carries plans out in the order that they ask for. */
final class World {
  static final Instant START = Instant.parse("2026-06-01T00:00:00Z");
  static final String ID = "c1";

  final KvorumCluster cluster = new KvorumCluster();
  final Map<String, KvorumBackup> backups = new TreeMap<>();
  final Map<String, KvorumBackupSchedule> schedules = new TreeMap<>();
  final Map<String, Map<String, JobState>> jobs = new HashMap<>();
  final List<BackupAction> actions = new ArrayList<>();
  final List<PlannedEvent> events = new ArrayList<>();
  final List<String> removed = new ArrayList<>();
  Instant now = START;
  boolean clusterExists = true;
  boolean namespaceEnds;
  private int serial;

  World() {
    cluster.setMetadata(new ObjectMetaBuilder().withName("c").withUid("u").withGeneration(1L).withCreationTimestamp("2026-01-01T00:00:00Z").build());
    cluster.setSpec(Specs.with(Specs.base(), "backup", Map.of("destination", Map.of("s3", Map.of("bucket", "b", "prefix", "/p/")))));
    members("c-0 LEADER 0", "c-1 VOTER 7", "c-2 VOTER 3");
  }

  /** @param rows name, role and lag; one that is not ready has no lag */
  World members(String... rows) {
    List<Map<String, Object>> members = new ArrayList<>();
    for (String row : rows) {
      String[] parts = row.split(" ");
      Map<String, Object> member = new LinkedHashMap<>(Map.of(
          "name", parts[0], "role", parts[1].charAt(0) + parts[1].substring(1).toLowerCase(java.util.Locale.ROOT), "phase", "Voting", "ready", parts.length > 2));
      if (parts.length > 2) {
        member.put("lagEntries", Long.parseLong(parts[2]));
      }
      members.add(member);
    }
    return status(Map.of("members", members));
  }

  World status(Map<String, Object> with) {
    Map<String, Object> status = new HashMap<>(Map.of(
        "clusterID", ID, "conditions", List.of(Map.of("type", "QuorumAvailable", "status", "True", "reason", "LeaderAgreed"))));
    if (cluster.getStatus() != null) {
      status.put("members", cluster.getStatus().members());
    }
    status.putAll(with);
    cluster.setStatus(Specs.of(status, KvorumClusterStatus.class));
    return this;
  }

  KvorumBackup backup(String name, Map<String, Object> spec) {
    Map<String, Object> fields = new HashMap<>(Map.of("clusterRef", "c"));
    fields.putAll(spec);
    return add(name, Specs.of(fields, KvorumBackupSpec.class), Map.of());
  }

  KvorumBackup add(String name, KvorumBackupSpec spec, Map<String, String> labels) {
    KvorumBackup backup = new KvorumBackup();
    backup.setMetadata(new ObjectMetaBuilder().withName(name).withUid("uid" + ++serial).withCreationTimestamp(whole(now)).withLabels(labels).build());
    backup.setSpec(spec);
    backups.put(name, backup);
    return backup;
  }

  private static String whole(Instant moment) {
    return Instant.ofEpochSecond(moment.getEpochSecond()).toString();
  }

  KvorumBackupSchedule schedule(String name, Map<String, Object> spec) {
    KvorumBackupSchedule schedule = new KvorumBackupSchedule();
    schedule.setMetadata(new ObjectMetaBuilder().withName(name).withGeneration(1L).withCreationTimestamp(whole(now)).build());
    Map<String, Object> fields = new HashMap<>(Map.of("clusterRef", "c", "retention", Map.of("keepLast", 3)));
    fields.putAll(spec);
    schedule.setSpec(Specs.of(fields, KvorumBackupScheduleSpec.class));
    schedules.put(name, schedule);
    return schedule;
  }

  KvorumBackupStatus status(String backup) {
    return backups.get(backup).known();
  }

  World later(Duration time) {
    now = now.plus(time);
    return this;
  }

  /** One pass over a backup. */
  BackupPlan pass(String name) {
    BackupPlan plan = new BackupPlanner().plan(observe(name));
    backups.get(name).setStatus(plan.status());
    events.addAll(plan.events());
    plan.action().ifPresent(action -> carryOut(action, name));
    return plan;
  }

  BackupObservation observe(String name) {
    return new BackupObservation(
        now, backups.get(name), clusterExists ? Optional.of(cluster) : Optional.empty(), List.copyOf(backups.values()),
        List.copyOf(jobs.getOrDefault(name, Map.of()).values()), namespaceEnds);
  }

  /** One pass over a schedule; @param crash the operator dies between the action and the status */
  SchedulePlan passSchedule(String name, boolean crash) {
    SchedulePlan plan = new SchedulePlanner().plan(new ScheduleObservation(
        now, schedules.get(name), clusterExists ? Optional.of(cluster) : Optional.empty(), List.copyOf(backups.values()), List.copyOf(schedules.values())));
    plan.action().ifPresent(action -> carryOut(action, ""));
    if (!crash) {
      events.addAll(plan.events());
      schedules.get(name).setStatus(plan.status());
    }
    return plan;
  }

  private void carryOut(BackupAction action, String backup) {
    actions.add(action);
    switch (action) {
      case BackupAction.CreateJob create -> jobs.computeIfAbsent(backup, name -> new TreeMap<>())
          .putIfAbsent(create.name(), new JobState(create.name(), create.kind(), JobState.Phase.WAITING, Optional.empty(), ""));
      case BackupAction.DeleteJob delete -> jobs.getOrDefault(backup, Map.of()).remove(delete.name());
      case BackupAction.Release release -> {
        backups.remove(backup);
        jobs.remove(backup);
        removed.add(backup);
      }
      case BackupAction.CreateBackup create -> {
        if (!backups.containsKey(create.name())) {
          add(create.name(), create.spec(), create.labels());
        }
      }
      case BackupAction.DeleteBackup delete -> backups.get(delete.name()).getMetadata().setDeletionTimestamp(whole(now));
    }
  }

  void delete(String backup) {
    backups.get(backup).getMetadata().setDeletionTimestamp(whole(now));
  }

  /** The Job under way goes on to this phase. */
  void job(String backup, JobState.Phase phase, String result, String message) {
    String name = status(backup).job();
    JobState job = jobs.get(backup).get(name);
    jobs.get(backup).put(name, new JobState(name, job.kind(), phase, JobResult.parse(result), message));
  }

  /** The Job under way ends well with this result; @param fields of the JSON object behind ok */
  void succeed(String backup, String fields) {
    job(backup, JobState.Phase.SUCCEEDED, "{\"ok\":true," + fields + "}", "");
  }

  void fail(String backup, String reason) {
    job(backup, JobState.Phase.FAILED, "{\"ok\":false,\"reason\":\"" + reason + "\",\"message\":\"because of " + reason + "\"}", "");
  }

  /** What a backup command says that took everything up to a revision. */
  String taken(String backup, String type, long revision, String previous) {
    BackupAction.CreateJob job = (BackupAction.CreateJob) actions.getLast();
    return "\"id\":\"" + job.id() + "\",\"type\":\"" + type + "\",\"uri\":\"s3://b/p/backups/" + job.id() + ".json\",\"sha256\":\"ab\",\"sizeBytes\":1048576,"
        + "\"newBytes\":1024,\"fromRevision\":1,\"toRevision\":" + revision + ",\"clusterID\":\"" + ID + "\",\"version\":\"0.1.0\",\"contentHash\":77,"
        + "\"contentHashRevision\":" + revision + ",\"contentHashCompactRevision\":-1,\"previous\":\"" + previous + "\",\"member\":\"c-2\",\"seconds\":1.5";
  }

  /** Takes it from the beginning to Completed or Verified. @param previous name of the backup that a delta builds on, empty for a full one */
  KvorumBackup complete(String name, String type, long revision, String previous) {
    later(Duration.ofSeconds(3));
    pass(name);
    String before = previous.isEmpty() ? "" : status(previous).artefact().id();
    succeed(name, taken(name, type, revision, before));
    pass(name);
    if (status(name).phase() == KvorumBackupStatus.Phase.VERIFYING) {
      pass(name);
      succeed(name, "\"restoredRevision\":" + revision + ",\"hashMatched\":true,\"seconds\":2.0");
      pass(name);
    }
    return backups.get(name);
  }
}
