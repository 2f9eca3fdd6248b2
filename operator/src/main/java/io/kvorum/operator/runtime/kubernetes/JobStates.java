package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.kvorum.operator.backup.JobResult;
import io.kvorum.operator.backup.JobState;
import io.kvorum.operator.backup.JobState.Phase;
import io.kvorum.operator.desired.BackupJob;
import io.kvorum.operator.desired.Names;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** From a Job and its pods to what a plan knows of it. Pure. */
final class JobStates {
  /** Of what a command printed before it was ended from outside. */
  private static final int TAIL = 512;

  private JobStates() {}

  /** @param pods of the Job; one at most, and none once its deadline has passed */
  static JobState state(Job job, List<Pod> pods) {
    BackupJob.Kind kind = BackupJob.Kind.valueOf(job.getMetadata().getLabels().get(Names.BACKUP_JOB).toUpperCase(Locale.ROOT));
    Optional<Pod> pod = pods.stream().max(Comparator.comparing(one -> one.getMetadata().getCreationTimestamp()));
    Optional<ContainerStatus> container =
        pod.filter(one -> one.getStatus() != null)
            .flatMap(one -> one.getStatus().getContainerStatuses().stream().filter(status -> status.getName().equals(BackupJob.CONTAINER)).findFirst());
    String left = container.map(ContainerStatus::getState).map(state -> state.getTerminated()).map(ContainerStateTerminated::getMessage).orElse("").strip();
    Optional<JobResult> result = JobResult.parse(left);
    Phase phase = phase(job, container);
    return new JobState(job.getMetadata().getName(), kind, phase, result, message(job, phase, pod, container, result.isPresent() ? "" : left));
  }

  private static Phase phase(Job job, Optional<ContainerStatus> container) {
    if (condition(job, "Complete").isPresent()) {
      return Phase.SUCCEEDED;
    }
    if (condition(job, "Failed").isPresent()) {
      return Phase.FAILED;
    }
    return container.filter(one -> one.getState() != null && (one.getState().getRunning() != null || one.getState().getTerminated() != null)).isPresent()
        ? Phase.RUNNING : Phase.WAITING;
  }

  static boolean finished(Job job) {
    return condition(job, "Complete").isPresent() || condition(job, "Failed").isPresent();
  }

  private static Optional<JobCondition> condition(Job job, String type) {
    return job.getStatus() == null
        ? Optional.empty()
        : job.getStatus().getConditions().stream().filter(one -> one.getType().equals(type) && "True".equals(one.getStatus())).findFirst();
  }

  private static String message(Job job, Phase phase, Optional<Pod> pod, Optional<ContainerStatus> container, String printed) {
    return switch (phase) {
      case WAITING -> pod.map(one -> Surroundings.waitingReason(one, container.orElse(null))).orElse("its pod is not made yet");
      case RUNNING, SUCCEEDED -> "";
      case FAILED -> {
        String why = condition(job, "Failed").map(one -> one.getReason() + ": " + one.getMessage()).orElse("");
        Optional<Integer> code = container.map(ContainerStatus::getState).map(state -> state.getTerminated()).map(ContainerStateTerminated::getExitCode);
        String ended = code.map(one -> "exit code " + one).orElse(why);
        String tail = printed.length() > TAIL ? printed.substring(printed.length() - TAIL) : printed;
        yield tail.isEmpty() ? ended : ended + ": " + tail;
      }
    };
  }
}
