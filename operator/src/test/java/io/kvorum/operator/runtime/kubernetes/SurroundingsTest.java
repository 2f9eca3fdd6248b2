package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;

class SurroundingsTest {
  private static String reason(String restore) {
    Pod pod =
        Serialization.unmarshal(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: kv-0, uid: u, creationTimestamp: "2026-01-01T00:00:00Z", labels: {kvorum.io/member: kv-0}}
            spec: {}
            status:
              initContainerStatuses: [{name: restore, %s}]
              containerStatuses: [{name: kvorum, state: {waiting: {reason: PodInitializing}}}]
            """
                .formatted(restore),
            Pod.class);
    return Surroundings.pod(pod).waitingReason();
  }

  @Test
  void aMemberThatIsBeingRestoredWaitsForThat() {
    assertThat(reason("state: {running: {startedAt: t}}")).isEqualTo("PodInitializing");
    assertThat(reason("state: {terminated: {exitCode: 0}}")).isEqualTo("PodInitializing");
  }

  @Test
  void aRestoreThatFailedSaysWhyAlsoWhileItIsTriedAgain() {
    String terminated = "{terminated: {exitCode: 1, message: '{\"ok\":false,\"reason\":\"NotFound\",\"message\":\"no backup b\"}'}}";
    assertThat(reason("state: " + terminated)).isEqualTo("RestoreFailed: NotFound: no backup b");
    assertThat(reason("state: {waiting: {reason: CrashLoopBackOff}}, lastState: " + terminated)).isEqualTo("RestoreFailed: NotFound: no backup b");
    assertThat(reason("state: {terminated: {exitCode: 137}}")).isEqualTo("RestoreFailed: exit code 137");
  }
}
