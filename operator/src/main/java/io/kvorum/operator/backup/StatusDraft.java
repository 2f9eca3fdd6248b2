package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Artefact;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.api.KvorumBackupStatus.Verification;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A backup's status while it is being changed. */
final class StatusDraft {
  Phase phase;
  KvorumBackupSpec.Type type;
  String startedAt;
  String heartbeatAt;
  String completedAt;
  String source;
  Destination destination;
  String key;
  String size;
  Artefact artefact;
  Verification verification;
  String job;
  int attempts;
  String retryAfter;
  String reason;
  String message;
  private final List<Condition> conditions;
  private final Instant at;
  private final Long generation;

  StatusDraft(KvorumBackup backup, Instant at) {
    KvorumBackupStatus from = backup.known();
    this.at = at;
    this.generation = backup.getMetadata().getGeneration();
    phase = from.phase();
    type = from.type();
    startedAt = from.startedAt();
    heartbeatAt = from.heartbeatAt();
    completedAt = from.completedAt();
    source = from.source();
    destination = from.destination();
    key = from.encryptionKeySecretRef();
    size = from.size();
    artefact = from.artefact();
    verification = from.verification();
    job = from.job();
    attempts = from.attempts();
    retryAfter = from.retryAfter();
    reason = from.reason();
    message = from.message();
    conditions = new ArrayList<>(from.conditions());
  }

  /** The next step begins: no Job, no attempt. */
  void step(Phase next) {
    phase = next;
    job = "";
    attempts = 0;
    retryAfter = "";
    heartbeatAt = Api.time(at);
  }

  /** Nothing is wrong any more. */
  void well() {
    reason = "";
    message = "";
  }

  /** A transition time changes when the status does and not before. */
  void condition(String kind, Condition.Status status, String why, String text) {
    String since = conditions.stream().filter(one -> one.type().equals(kind) && one.status() == status)
        .map(Condition::lastTransitionTime).findFirst().orElse(Api.time(at));
    conditions.removeIf(one -> one.type().equals(kind));
    conditions.add(new Condition(kind, status, why, cut(text), since, generation));
  }

  private static String cut(String text) {
    return text.length() <= 1024 ? text : text.substring(0, 1024);
  }

  KvorumBackupStatus freeze() {
    return new KvorumBackupStatus(
        phase, type, startedAt, heartbeatAt, completedAt, source, destination, key, size, artefact, verification, job, attempts, retryAfter, reason,
        cut(message), conditions);
  }
}
