package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.Toleration;
import io.kvorum.operator.backup.JobResult;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.Observation.ResizeProblem;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** From Kubernetes' objects to what the planner knows. Pure. */
final class Surroundings {
  private static final String ZONE = "topology.kubernetes.io/zone";

  /** Taints that Kubernetes itself sets on a node that does not answer; every pod tolerates them for some minutes. */
  private static final Set<String> UNREACHABLE = Set.of("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable");

  /** Of what a restore says of its failure. */
  private static final int WHY = 512;

  private Surroundings() {}

  static PodState pod(Pod pod) {
    ContainerStatus container =
        pod.getStatus() == null
            ? null
            : pod.getStatus().getContainerStatuses().stream().filter(one -> one.getName().equals(MemberPod.CONTAINER)).findFirst().orElse(null);
    boolean running = container != null && container.getState() != null && container.getState().getRunning() != null;
    return new PodState(
        pod.getMetadata().getLabels().getOrDefault(Names.MEMBER, pod.getMetadata().getName()),
        pod.getMetadata().getUid(),
        Instant.parse(pod.getMetadata().getCreationTimestamp()),
        annotation(pod, Names.TEMPLATE_HASH),
        annotation(pod, Names.VERSION),
        holds(pod, "Ready"),
        running,
        pod.getMetadata().getDeletionTimestamp() != null,
        pod.getSpec().getNodeName() == null ? "" : pod.getSpec().getNodeName(),
        running ? "" : waitingReason(pod, container),
        container == null || container.getRestartCount() == null ? 0 : container.getRestartCount(),
        "true".equals(pod.getMetadata().getLabels().get(Names.SERVING)));
  }

  static String annotation(HasMetadata object, String name) {
    Map<String, String> annotations = object.getMetadata().getAnnotations();
    return annotations == null ? "" : annotations.getOrDefault(name, "");
  }

  private static boolean holds(Pod pod, String condition) {
    return pod.getStatus() != null
        && pod.getStatus().getConditions().stream().anyMatch(one -> one.getType().equals(condition) && "True".equals(one.getStatus()));
  }

  static String waitingReason(Pod pod, ContainerStatus container) {
    String restore = restoreFailure(pod);
    if (!restore.isEmpty()) {
      return restore;
    }
    ContainerState state = container == null ? null : container.getState();
    if (state != null && state.getWaiting() != null && state.getWaiting().getReason() != null) {
      return state.getWaiting().getReason();
    }
    if (state != null && state.getTerminated() != null) {
      return state.getTerminated().getReason() == null ? "Terminated" : state.getTerminated().getReason();
    }
    if (pod.getStatus() != null) {
      for (PodCondition condition : pod.getStatus().getConditions()) {
        if (condition.getType().equals("PodScheduled") && "False".equals(condition.getStatus()) && condition.getReason() != null) {
          return condition.getReason();
        }
      }
    }
    return "Pending";
  }

  /** Why the data directory could not be made from a backup, on the last attempt: the kubelet tries again. */
  private static String restoreFailure(Pod pod) {
    if (pod.getStatus() == null) {
      return "";
    }
    return pod.getStatus().getInitContainerStatuses().stream()
        .filter(one -> one.getName().equals(MemberPod.RESTORE_CONTAINER))
        .flatMap(one -> Stream.of(one.getState(), one.getLastState()))
        .filter(state -> state != null && state.getTerminated() != null && !Objects.equals(state.getTerminated().getExitCode(), 0))
        .findFirst()
        .map(state -> "RestoreFailed: " + why(state.getTerminated()))
        .orElse("");
  }

  private static String why(ContainerStateTerminated ended) {
    String left = ended.getMessage() == null ? "" : ended.getMessage().strip();
    String said = JobResult.parse(left).map(result -> result.reason() + ": " + result.message()).orElse(left);
    String why = said.isEmpty() ? "exit code " + ended.getExitCode() : said;
    return why.length() > WHY ? why.substring(0, WHY) : why;
  }

  /**
   * @param all every claim of the cluster, copies among them
   * @param problem why it does not grow
   */
  static ClaimState claim(PersistentVolumeClaim claim, List<PersistentVolumeClaim> all, Optional<ResizeProblem> problem) {
    String phase = claim.getStatus() == null || claim.getStatus().getPhase() == null ? "Pending" : claim.getStatus().getPhase();
    boolean resize =
        claim.getStatus() != null
            && claim.getStatus().getConditions().stream()
                .anyMatch(one -> one.getType().equals("FileSystemResizePending") && "True".equals(one.getStatus()));
    Map<String, String> labels = claim.getMetadata().getLabels();
    String copy = Names.copyOf(claim.getMetadata().getName());
    return new ClaimState(
        labels.containsKey(Names.FORMER_MEMBER) ? "" : labels.getOrDefault(Names.MEMBER, ""),
        claim.getMetadata().getName(),
        claim.getMetadata().getUid(),
        phase.equals("Bound"),
        phase.equals("Lost"),
        claim.getMetadata().getDeletionTimestamp() != null,
        storage(claim.getSpec().getResources() == null ? null : claim.getSpec().getResources().getRequests()),
        claim.getStatus() == null ? 0 : storage(claim.getStatus().getCapacity()),
        resize,
        !annotation(claim, ClaimCopies.NO_COPY).isEmpty()
            || all.stream()
                .anyMatch(one -> one.getMetadata().getName().equals(copy) && one.getStatus() != null && "Bound".equals(one.getStatus().getPhase())),
        problem);
  }

  private static long storage(Map<String, Quantity> amounts) {
    return amounts == null || !amounts.containsKey("storage") ? 0 : amounts.get("storage").getNumericalAmount().longValue();
  }

  /**
   * All nodes, and those that pods name and that are gone.
   *
   * @param tolerations of the members' pods
   */
  static List<NodeState> nodes(List<Node> nodes, List<PodState> pods, List<Toleration> tolerations) {
    List<NodeState> states = new ArrayList<>();
    Set<String> known = new HashSet<>();
    for (Node node : nodes) {
      known.add(node.getMetadata().getName());
      states.add(node(node, tolerations));
    }
    pods.stream()
        .map(PodState::node)
        .filter(name -> !name.isEmpty() && known.add(name))
        .forEach(name -> states.add(new NodeState(name, "", false, false, false, false)));
    return states;
  }

  private static NodeState node(Node node, List<Toleration> tolerations) {
    Map<String, String> labels = node.getMetadata().getLabels() == null ? Map.of() : node.getMetadata().getLabels();
    boolean ready =
        node.getStatus() != null
            && node.getStatus().getConditions().stream().anyMatch(one -> one.getType().equals("Ready") && "True".equals(one.getStatus()));
    boolean noExecute =
        node.getSpec() != null
            && node.getSpec().getTaints().stream()
                .anyMatch(
                    taint ->
                        "NoExecute".equals(taint.getEffect())
                            && !UNREACHABLE.contains(taint.getKey())
                            && tolerations.stream().noneMatch(toleration -> tolerates(toleration, taint)));
    return new NodeState(
        node.getMetadata().getName(), labels.getOrDefault(ZONE, ""), true, ready,
        node.getSpec() != null && Boolean.TRUE.equals(node.getSpec().getUnschedulable()), noExecute);
  }

  private static boolean tolerates(Toleration toleration, Taint taint) {
    boolean effect = toleration.getEffect() == null || toleration.getEffect().isEmpty() || toleration.getEffect().equals(taint.getEffect());
    boolean anyKey = toleration.getKey() == null || toleration.getKey().isEmpty();
    boolean exists = "Exists".equals(toleration.getOperator());
    boolean key = anyKey ? exists : toleration.getKey().equals(taint.getKey());
    String value = taint.getValue() == null ? "" : taint.getValue();
    return effect && key && (exists || value.equals(toleration.getValue() == null ? "" : toleration.getValue()));
  }
}
