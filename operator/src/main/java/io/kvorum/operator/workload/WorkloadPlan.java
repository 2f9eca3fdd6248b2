package io.kvorum.operator.workload;

import java.util.List;

/**
 * What one pass does.
 *
 * @param actions in this order; one that fails ends those of its workload
 * @param more there were more than one pass takes
 * @param refusals pods that get nothing
 * @param problems for the cluster's status, at most {@link #PROBLEMS_MAX}
 */
public record WorkloadPlan(List<WorkloadAction> actions, boolean more, List<Refusal> refusals, List<String> problems) {
  /** Problems that a status shows. */
  public static final int PROBLEMS_MAX = 8;

  public WorkloadPlan {
    actions = List.copyOf(actions);
    refusals = List.copyOf(refusals);
    problems = List.copyOf(problems);
  }

  /** A pod that gets nothing, and why. */
  public record Refusal(WorkloadObservation.PodSeen pod, String why) {}
}
