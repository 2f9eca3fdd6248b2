package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.backup.JobResult;
import io.kvorum.operator.backup.JobState;
import io.kvorum.operator.backup.JobState.Phase;
import io.kvorum.operator.desired.BackupJob;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobStatesTest {
  private static Job job(String status) {
    return Serialization.unmarshal(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: n-verify-1, labels: {kvorum.io/backup-job: verify}}
        status: %s
        """
            .formatted(status),
        Job.class);
  }

  private static Pod pod(String state) {
    return Serialization.unmarshal(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: n-verify-1-abcde, creationTimestamp: "2026-01-01T00:00:00Z"}
        status:
          phase: Running
          containerStatuses: [{name: kvorum, state: %s}]
        """
            .formatted(state),
        Pod.class);
  }

  private static JobState of(Job job, Pod... pods) {
    return JobStates.state(job, List.of(pods));
  }

  private static final String FAILED = "{conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: 'it failed'}]}";

  @Test
  void aJobWithoutAPodWaits() {
    JobState state = of(job("{}"));
    assertThat(state.phase()).isEqualTo(Phase.WAITING);
    assertThat(state.kind()).isEqualTo(BackupJob.Kind.VERIFY);
    assertThat(state.message()).isEqualTo("its pod is not made yet");
  }

  @Test
  void aPodThatCannotStartSaysWhy() {
    JobState state = of(job("{active: 1}"), pod("{waiting: {reason: ImagePullBackOff}}"));
    assertThat(state.phase()).isEqualTo(Phase.WAITING);
    assertThat(state.message()).isEqualTo("ImagePullBackOff");
  }

  @Test
  void aRunningContainerIsARunningJob() {
    assertThat(of(job("{active: 1}"), pod("{running: {startedAt: t}}")).phase()).isEqualTo(Phase.RUNNING);
    assertThat(of(job("{active: 1}"), pod("{terminated: {exitCode: 0}}")).phase()).as("until the Job itself has seen it").isEqualTo(Phase.RUNNING);
  }

  @Test
  void theResultIsTheTerminationMessage() {
    JobState state =
        of(
            job("{conditions: [{type: Complete, status: 'True'}]}"),
            pod("{terminated: {exitCode: 0, message: '{\"ok\":true,\"command\":\"verify\",\"id\":\"b\",\"hashMatched\":true,\"restoredRevision\":7}'}}"));
    assertThat(state.phase()).isEqualTo(Phase.SUCCEEDED);
    assertThat(state.result().map(JobResult::restoredRevision)).contains(7L);
    assertThat(state.message()).isEmpty();
  }

  @Test
  void aFailureThatLeftAResultHasItsReason() {
    JobState state = of(job(FAILED), pod("{terminated: {exitCode: 4, message: '{\"ok\":false,\"reason\":\"ContentCorrupt\",\"message\":\"segments/ab\"}'}}"));
    assertThat(state.phase()).isEqualTo(Phase.FAILED);
    assertThat(state.result().map(JobResult::reason)).contains(JobResult.CONTENT_CORRUPT);
  }

  @Test
  void aFailureWithoutAResultHasTheEndOfWhatWasPrinted() {
    JobState state = of(job(FAILED), pod("{terminated: {exitCode: 137, message: '" + "x".repeat(2000) + "the last line'}}"));
    assertThat(state.result()).isEmpty();
    assertThat(state.message()).startsWith("exit code 137: ").endsWith("the last line").hasSizeLessThan(600);
  }

  @Test
  void aJobBeyondItsDeadlineHasNoPodAndSaysSo() {
    JobState state = of(job("{conditions: [{type: Failed, status: 'True', reason: DeadlineExceeded, message: 'too long'}]}"));
    assertThat(state.phase()).isEqualTo(Phase.FAILED);
    assertThat(state.message()).isEqualTo("DeadlineExceeded: too long");
  }
}
