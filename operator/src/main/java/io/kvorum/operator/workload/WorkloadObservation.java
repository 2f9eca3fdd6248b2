package io.kvorum.operator.workload;

import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All that one pass over the workloads of a cluster decides from.
 *
 * @param cluster whose users they are
 * @param injection what it allows
 * @param wantsUsers authentication is wanted, so that a workload needs a user
 * @param pods pods that ask any cluster for an agent, so that the newest pod of a workload is known
 * @param secrets Secrets with the name of a workload's, by workload; those of other clusters and of nobody's too
 * @param users what the store said; empty when it could not be asked
 * @param proven users whose password of the Secret was taken by this very cluster
 * @param watched namespaces that are looked after, empty for all: of workloads elsewhere nothing is known
 * @param owners what became of the owners of {@link WorkloadPlanner#undecided}
 */
public record WorkloadObservation(
    ClusterRef cluster, InjectionSpec injection, boolean wantsUsers, List<PodSeen> pods, Map<Workload, SecretSeen> secrets, Optional<Users> users, Set<String> proven,
    Set<String> watched, Map<Workload, Owner> owners) {

  public WorkloadObservation {
    pods = List.copyOf(pods);
    secrets = Map.copyOf(secrets);
    proven = Set.copyOf(proven);
    watched = Set.copyOf(watched);
    owners = Map.copyOf(owners);
  }

  /** The same with what became of owners. */
  public WorkloadObservation withOwners(Map<Workload, Owner> found) {
    return new WorkloadObservation(cluster, injection, wantsUsers, pods, secrets, users, proven, watched, found);
  }

  /**
   * A pod that asks for an agent.
   *
   * @param ended its containers have all ended for good
   */
  public record PodSeen(Workload workload, String name, String uid, Instant createdAt, boolean ended, Declaration declaration) {}

  /**
   * A workload's Secret.
   *
   * @param cluster that it was made for; empty when the operator did not make it
   * @param credentials it has a user and a password
   * @param current its authorities and, when clients must show one, its certificate are as they should be
   */
  public record SecretSeen(Optional<ClusterRef> cluster, boolean credentials, boolean current) {}

  /**
   * What became of the owner of a workload that has no pod any more.
   *
   * @param known false when it could not be found out
   * @param declarations of the templates of all controllers of that name that may still make pods
   */
  public record Owner(boolean known, List<Declaration> declarations) {
    public Owner {
      declarations = List.copyOf(declarations);
    }
  }
}
