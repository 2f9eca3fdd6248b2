package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.kvorum.operator.observe.Observation.ResizeProblem;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Asks claims for more, and tells why one does not get it: the API server refused (a storage class that cannot expand, a resource quota), or the driver or the
 * kubelet failed. Refusals are kept for the life of this process, one for each claim. Not safe for several threads.
 */
final class ClaimGrowth {
  private static final int UNPROCESSABLE = 422;
  private static final int LONGEST = 512;

  /** Conditions that the resizer and the kubelet set. */
  private static final Set<String> ERRORS = Set.of("ControllerResizeError", "NodeResizeError");

  /** Ends of the states of {@code status.allocatedResourceStatuses} that nobody comes out of by waiting. */
  private static final Set<String> DEAD_ENDS = Set.of("Infeasible", "Failed");

  private final Writes writes;
  private final Clock clock;
  private final Map<String, ResizeProblem> refused = new HashMap<>();

  ClaimGrowth(Writes writes, Clock clock) {
    this.writes = writes;
    this.clock = clock;
  }

  void ask(PersistentVolumeClaim claim, Quantity size) {
    try {
      writes.merge(claim, Map.of("spec", Map.of("resources", Map.of("requests", Map.of("storage", size.toString())))));
      refused.remove(claim.getMetadata().getUid());
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN && e.getCode() != UNPROCESSABLE) {
        throw e;
      }
      String message = e.getStatus() == null || e.getStatus().getMessage() == null ? e.getMessage() : e.getStatus().getMessage();
      refused.put(claim.getMetadata().getUid(), new ResizeProblem(bounded(message), clock.instant()));
    }
  }

  Optional<ResizeProblem> problem(PersistentVolumeClaim claim) {
    ResizeProblem refusal = refused.get(claim.getMetadata().getUid());
    return refusal != null ? Optional.of(refusal) : reported(claim);
  }

  /** What Kubernetes itself says of a claim that was asked for more. */
  static Optional<ResizeProblem> reported(PersistentVolumeClaim claim) {
    if (claim.getStatus() == null) {
      return Optional.empty();
    }
    for (PersistentVolumeClaimCondition condition : claim.getStatus().getConditions()) {
      if (ERRORS.contains(condition.getType()) && "True".equals(condition.getStatus())) {
        String since = condition.getLastTransitionTime();
        String message = condition.getMessage() == null || condition.getMessage().isEmpty() ? condition.getType() : condition.getMessage();
        return Optional.of(new ResizeProblem(bounded(message), since == null ? Instant.EPOCH : Instant.parse(since)));
      }
    }
    Map<String, String> states = claim.getStatus().getAllocatedResourceStatuses();
    String state = states == null ? "" : states.getOrDefault("storage", "");
    return DEAD_ENDS.stream().anyMatch(state::endsWith) ? Optional.of(new ResizeProblem(state, Instant.EPOCH)) : Optional.empty();
  }

  private static String bounded(String message) {
    return message.substring(0, Math.min(LONGEST, message.length()));
  }
}
