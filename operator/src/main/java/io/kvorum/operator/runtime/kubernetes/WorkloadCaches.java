package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.List;

/** What informers have seen of workloads, possibly a moment ago: Secrets are made under names that only one can have, and changed in the version that was read. */
public interface WorkloadCaches {
  /** All pods that ask for an agent, of any cluster. */
  List<Pod> agentPods();

  /** All Secrets of agents, of any cluster. */
  List<Secret> agentSecrets();
}
