package io.kvorum.operator.workload;

import io.kvorum.operator.workload.WorkloadObservation.Owner;
import io.kvorum.operator.workload.WorkloadObservation.PodSeen;
import io.kvorum.operator.workload.WorkloadObservation.SecretSeen;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Decides what the workloads of a cluster get.
 *
 * <ol>
 *   <li>A pod counts from when it is made until it is gone or its containers have ended for good. One whose declaration is refused counts for nothing.
 *   <li>As long as a workload has such pods, its user may do what any of them declares: old and new ones of a rollout both work, and afterwards it is narrowed.
 *   <li>Without pods, the templates of its owner count: a Deployment of no replicas keeps its user. With no owner that is labelled and allowed, user, role and Secret go.
 *   <li>The Secret is written before the user is made, so that a password is never lost; the user goes before the Secret, so that an interrupted revocation is found
 *       again by the user's name, or by the Secret's labels.
 *   <li>The newest pod of a workload says whose cluster the Secret is for.
 * </ol>
 */
public final class WorkloadPlanner {
  /** Most actions of one pass. */
  public static final int ACTIONS_MAX = 256;

  private static final Comparator<Workload> ORDER = Comparator.comparing(Workload::namespace).thenComparing(Workload::name);

  /** What a workload should have: its permissions, or nothing, or what it has until more is known. */
  private sealed interface Wanted {
    record Permissions(Set<Permission> all) implements Wanted {}

    record Nothing() implements Wanted {}

    record Unknown() implements Wanted {}
  }

  /** Workloads that have something and no pod that would keep it: whether they keep it depends on their owners. */
  public Set<Workload> undecided(WorkloadObservation seen) {
    Set<Workload> found = new LinkedHashSet<>(having(seen));
    found.removeAll(granted(seen).keySet());
    return found;
  }

  public WorkloadPlan plan(WorkloadObservation seen) {
    Map<Workload, Set<Permission>> granted = granted(seen);
    List<WorkloadAction> actions = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    TreeMap<Workload, Wanted> wanted = new TreeMap<>(ORDER);
    granted.forEach((workload, all) -> wanted.put(workload, new Wanted.Permissions(all)));
    having(seen).forEach(workload -> wanted.computeIfAbsent(workload, one -> ownersWish(one, seen)));
    wanted.forEach(
        (workload, wish) -> {
          switch (wish) {
            case Wanted.Permissions(Set<Permission> all) -> serve(workload, all, granted.containsKey(workload), seen, actions, problems);
            case Wanted.Nothing() -> revoke(workload, seen, actions);
            case Wanted.Unknown() -> problems.add(workload + ": its owner could not be looked up");
          }
        });
    List<WorkloadPlan.Refusal> refusals = refusals(seen);
    refusals.stream().map(refusal -> refusal.pod().workload() + ": " + refusal.why()).distinct().sorted().forEach(problems::add);
    boolean more = actions.size() > ACTIONS_MAX;
    return new WorkloadPlan(
        actions.subList(0, Math.min(ACTIONS_MAX, actions.size())), more, refusals, problems.subList(0, Math.min(WorkloadPlan.PROBLEMS_MAX, problems.size())));
  }

  private static Stream<PodSeen> asking(WorkloadObservation seen) {
    return seen.pods().stream().filter(pod -> !pod.ended() && pod.declaration().cluster().equals(seen.cluster()));
  }

  /** By workload what its pods may do together. */
  private static Map<Workload, Set<Permission>> granted(WorkloadObservation seen) {
    Map<Workload, List<Set<Permission>>> each = new TreeMap<>(ORDER);
    asking(seen)
        .forEach(
            pod -> {
              if (Verdict.of(pod.declaration(), seen.injection()) instanceof Verdict.Granted(Set<Permission> permissions)) {
                each.computeIfAbsent(pod.workload(), one -> new ArrayList<>()).add(permissions);
              }
            });
    return each.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> Verdict.union(entry.getValue().stream())));
  }

  private static List<WorkloadPlan.Refusal> refusals(WorkloadObservation seen) {
    List<WorkloadPlan.Refusal> found = new ArrayList<>();
    asking(seen)
        .forEach(
            pod -> {
              if (Verdict.of(pod.declaration(), seen.injection()) instanceof Verdict.Refused(String why)) {
                found.add(new WorkloadPlan.Refusal(pod, why));
              }
            });
    return found;
  }

  /** Workloads of watched namespaces that have a user, a role or a Secret of this cluster. */
  private static Set<Workload> having(WorkloadObservation seen) {
    Set<Workload> found = new HashSet<>();
    seen.users()
        .ifPresent(
            users ->
                Stream.concat(users.users().keySet().stream(), users.roles().keySet().stream())
                    .forEach(name -> Workload.ofUser(name).filter(one -> watches(seen, one)).ifPresent(found::add)));
    seen.secrets().forEach((workload, secret) -> {
      if (secret.cluster().equals(Optional.of(seen.cluster()))) {
        found.add(workload);
      }
    });
    return found;
  }

  private static boolean watches(WorkloadObservation seen, Workload workload) {
    return seen.watched().isEmpty() || seen.watched().contains(workload.namespace());
  }

  private static Wanted ownersWish(Workload workload, WorkloadObservation seen) {
    Owner owner = seen.owners().getOrDefault(workload, new Owner(false, List.of()));
    if (!owner.known()) {
      return new Wanted.Unknown();
    }
    List<Set<Permission>> each = new ArrayList<>();
    for (Declaration declaration : owner.declarations()) {
      if (declaration.cluster().equals(seen.cluster()) && Verdict.of(declaration, seen.injection()) instanceof Verdict.Granted(Set<Permission> permissions)) {
        each.add(permissions);
      }
    }
    return each.isEmpty() ? new Wanted.Nothing() : new Wanted.Permissions(Verdict.union(each.stream()));
  }

  private static void serve(
      Workload workload, Set<Permission> wanted, boolean pods, WorkloadObservation seen, List<WorkloadAction> actions, List<String> problems) {
    Optional<SecretSeen> secret = Optional.ofNullable(seen.secrets().get(workload));
    if (secret.isPresent() && secret.get().cluster().isEmpty()) {
      problems.add(workload + ": the Secret " + workload.secret() + " is not the operator's");
      return;
    }
    if (secret.isPresent() && !secret.get().cluster().get().equals(seen.cluster()) && !newestIsOurs(workload, seen)) {
      // The workload goes over to another cluster; pods that still ask this one have what they mounted.
      return;
    }
    boolean ours = secret.isPresent() && secret.get().cluster().get().equals(seen.cluster());
    if (secret.isEmpty() && !pods) {
      // Its next pod makes a new one; what is left of the user has a password that nobody knows.
      revoke(workload, seen, actions);
      return;
    }
    if (!ours || !secret.get().current() || seen.wantsUsers() && !secret.get().credentials()) {
      actions.add(new WorkloadAction.WriteSecret(workload, seen.wantsUsers()));
    }
    if (seen.wantsUsers()) {
      seen.users().ifPresent(users -> user(workload, wanted, users, seen, actions));
    }
  }

  private static boolean newestIsOurs(Workload workload, WorkloadObservation seen) {
    return seen.pods().stream()
        .filter(pod -> pod.workload().equals(workload) && !pod.ended())
        .max(Comparator.comparing(PodSeen::createdAt).thenComparing(PodSeen::uid))
        .map(pod -> pod.declaration().cluster().equals(seen.cluster()))
        .orElse(false);
  }

  private static void user(Workload workload, Set<Permission> wanted, Users users, WorkloadObservation seen, List<WorkloadAction> actions) {
    String name = workload.user();
    Set<Permission> has = users.roles().get(name);
    if (has == null) {
      actions.add(new WorkloadAction.AddRole(workload));
    }
    Set<Permission> before = has == null ? Set.of() : has;
    sorted(wanted).filter(one -> !before.contains(one)).forEach(one -> actions.add(new WorkloadAction.Grant(workload, one)));
    sorted(before)
        .filter(one -> wanted.stream().noneMatch(one::sameRange))
        .forEach(one -> actions.add(new WorkloadAction.Revoke(workload, one)));
    Set<String> roles = users.users().get(name);
    if (roles == null) {
      actions.add(new WorkloadAction.AddUser(workload));
    } else {
      roles.stream().filter(role -> !role.equals(name)).sorted().forEach(role -> actions.add(new WorkloadAction.TakeRole(workload, role)));
      if (users.enabled() && !seen.proven().contains(name)) {
        actions.add(new WorkloadAction.Prove(workload));
      }
    }
    if (roles == null || !roles.contains(name)) {
      actions.add(new WorkloadAction.GiveRole(workload));
    }
  }

  private static Stream<Permission> sorted(Set<Permission> permissions) {
    return permissions.stream().sorted(Comparator.comparing(Permission::toString));
  }

  private static void revoke(Workload workload, WorkloadObservation seen, List<WorkloadAction> actions) {
    if (seen.users().isEmpty()) {
      // The Secret names what is left to be revoked.
      return;
    }
    Users users = seen.users().get();
    if (users.users().containsKey(workload.user())) {
      actions.add(new WorkloadAction.RemoveUser(workload));
    }
    if (users.roles().containsKey(workload.user())) {
      actions.add(new WorkloadAction.RemoveRole(workload));
    }
    SecretSeen secret = seen.secrets().get(workload);
    if (secret != null && secret.cluster().equals(Optional.of(seen.cluster()))) {
      actions.add(new WorkloadAction.DeleteSecret(workload));
    }
  }
}
