package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.kvorum.operator.observe.Observation.ResizeProblem;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Kubernetes says of a claim that does not grow. */
class ClaimGrowthTest {
  private static PersistentVolumeClaim with(String type, String status, String message) {
    return new PersistentVolumeClaimBuilder()
        .withNewStatus()
        .addNewCondition()
        .withType(type)
        .withStatus(status)
        .withMessage(message)
        .withLastTransitionTime("2026-06-01T12:00:00Z")
        .endCondition()
        .endStatus()
        .build();
  }

  @ParameterizedTest
  @CsvSource({
    "ControllerResizeError, True, quota exceeded, quota exceeded", "NodeResizeError, True, , NodeResizeError", "ControllerResizeError, False, over, ",
    "FileSystemResizePending, True, waiting, ", "Resizing, True, working, "
  })
  void errorsOfTheDriverAndTheKubeletAreProblemsAndWaitingIsNone(String type, String status, String message, String problem) {
    Optional<ResizeProblem> found = ClaimGrowth.reported(with(type, status, message));
    assertThat(found.map(ResizeProblem::message)).isEqualTo(Optional.ofNullable(problem));
    assertThat(found.map(ResizeProblem::at)).isEqualTo(Optional.ofNullable(problem).map(any -> Instant.parse("2026-06-01T12:00:00Z")));
  }

  @ParameterizedTest
  @CsvSource({
    "ControllerResizeInfeasible, true", "NodeResizeInfeasible, true", "ControllerResizeFailed, true", "NodeResizeInProgress, false", "NodeResizePending, false"
  })
  void aStateThatNobodyComesOutOfByWaitingIsAProblem(String state, boolean problem) {
    PersistentVolumeClaim claim = new PersistentVolumeClaimBuilder().withNewStatus().addToAllocatedResourceStatuses("storage", state).endStatus().build();
    assertThat(ClaimGrowth.reported(claim).isPresent()).isEqualTo(problem);
  }

  @Test
  void aMessageIsBoundedAndAClaimWithoutStatusHasNone() {
    assertThat(ClaimGrowth.reported(with("NodeResizeError", "True", "x".repeat(5000))).orElseThrow().message()).hasSize(512);
    assertThat(ClaimGrowth.reported(new PersistentVolumeClaimBuilder().build())).isEmpty();
  }
}
