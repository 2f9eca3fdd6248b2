package io.kvorum.operator.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.WorkloadObservation.Owner;
import io.kvorum.operator.workload.WorkloadObservation.PodSeen;
import io.kvorum.operator.workload.WorkloadObservation.SecretSeen;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Random histories: pods, owners, allowances and Secrets change, the cluster is made anew, the operator forgets everything or stops after any action. However it went,
 * at rest everybody has exactly what is declared and allowed, and until then nobody is given what none of its pods or templates declares.
 */
class WorkloadHistoriesTest {
  private static final ClusterRef KV = new ClusterRef("db", "kv");
  private static final int HISTORIES = Integer.getInteger("kvorum.histories", 300);
  private static final int STEPS = 60;

  @Test
  void everybodyHasWhatIsDeclaredAndAllowed() {
    long first = Long.getLong("kvorum.seed", 1L);
    for (long seed = first; seed < first + HISTORIES; seed++) {
      World world = new World(seed);
      for (int step = 0; step < STEPS; step++) {
        world.change();
        if (world.random.nextInt(3) != 0) {
          world.pass(world.random.nextInt(4) == 0 ? world.random.nextInt(5) : Integer.MAX_VALUE);
        }
      }
      world.settle();
    }
  }

  /** A namespace of its own and a foreign one; three workloads each. Passwords are numbers. */
  private static final class World {
    private final Random random;
    private final long seed;
    private final List<PodSeen> pods = new ArrayList<>();
    private final Map<Workload, Declaration> templates = new HashMap<>();
    private final Map<Workload, Integer> secrets = new HashMap<>();
    private final Set<String> proven = new HashSet<>();
    private Map<String, Set<String>> users = new HashMap<>();
    private Map<String, Integer> passwords = new HashMap<>();
    private Map<String, Set<Permission>> roles = new HashMap<>();
    private InjectionSpec injection = InjectionSpec.DEFAULTS;
    private long clusterId = 1;
    private boolean reachable = true;
    private int serial;

    World(long seed) {
      this.seed = seed;
      this.random = new Random(seed);
    }

    void change() {
      Workload workload = new Workload(random.nextBoolean() ? "db" : "web", "w" + random.nextInt(3));
      switch (random.nextInt(11)) {
        case 0, 1 -> templates.put(workload, declaration(workload));
        case 2 -> templates.remove(workload);
        case 3, 4 -> pods.add(pod(workload));
        case 5, 6 -> pods.removeIf(pod -> pod.workload().equals(workload) && random.nextBoolean());
        case 7 -> injection = new InjectionSpec(random.nextInt(8) != 0, List.of(new InjectionSpec.Allowed("web", random.nextBoolean() ? List.of("a") : List.of("a", "b"))));
        case 8 -> {
          clusterId++;
          users = new HashMap<>();
          roles = new HashMap<>();
          passwords = new HashMap<>();
        }
        case 9 -> {
          if (random.nextBoolean()) {
            secrets.remove(workload);
          } else {
            proven.clear();
          }
        }
        default -> reachable = !reachable;
      }
    }

    private Declaration declaration(Workload workload) {
      Set<String> prefixes = new HashSet<>();
      for (String one : List.of("a", "b", "ab")) {
        if (random.nextInt(3) == 0) {
          prefixes.add(one);
        }
      }
      return new Declaration(workload.namespace(), KV, prefixes, "");
    }

    private PodSeen pod(Workload workload) {
      String name = "p" + serial++;
      return new PodSeen(workload, name, name, Instant.ofEpochSecond(serial), random.nextInt(5) == 0, templates.getOrDefault(workload, declaration(workload)));
    }

    private WorkloadObservation observe() {
      Map<Workload, SecretSeen> seen = secrets.keySet().stream().collect(Collectors.toMap(one -> one, one -> new SecretSeen(Optional.of(KV), true, true)));
      Optional<Users> read = reachable ? Optional.of(new Users(clusterId, true, users, roles)) : Optional.empty();
      proven.retainAll(users.keySet());
      return new WorkloadObservation(KV, injection, true, pods, seen, read, proven, Set.of(), Map.of());
    }

    private WorkloadPlan plan() {
      WorkloadPlanner planner = new WorkloadPlanner();
      WorkloadObservation seen = observe();
      Map<Workload, Owner> owners =
          planner.undecided(seen).stream().collect(Collectors.toMap(one -> one, one -> new Owner(true, Optional.ofNullable(templates.get(one)).stream().toList())));
      return planner.plan(seen.withOwners(owners));
    }

    void pass(int actions) {
      List<WorkloadAction> all = plan().actions();
      for (WorkloadAction action : all.subList(0, Math.min(actions, all.size()))) {
        execute(action);
      }
      if (actions < all.size()) {
        proven.clear();
      }
    }

    private void execute(WorkloadAction action) {
      Workload workload = action.workload();
      String name = workload.user();
      switch (action) {
        case WorkloadAction.WriteSecret one -> {
          if (!secrets.containsKey(workload)) {
            secrets.put(workload, serial++);
            proven.remove(name);
          }
        }
        case WorkloadAction.DeleteSecret one -> {
          assertThat(users).as("seed %d: the user goes before the Secret", seed).doesNotContainKey(name);
          secrets.remove(workload);
        }
        case WorkloadAction.AddRole one -> roles.putIfAbsent(name, new HashSet<>());
        case WorkloadAction.Grant one -> {
          assertThat(wishes(workload)).as("seed %d: granted is only what is declared and allowed", seed).anyMatch(wish -> wish.sameRange(one.permission()));
          roles.get(name).removeIf(one.permission()::sameRange);
          roles.get(name).add(one.permission());
        }
        case WorkloadAction.Revoke one -> roles.get(name).remove(one.permission());
        case WorkloadAction.AddUser one -> {
          assertThat(secrets).as("seed %d: the Secret is there before the user", seed).containsKey(workload);
          users.putIfAbsent(name, new HashSet<>());
          passwords.putIfAbsent(name, secrets.get(workload));
        }
        case WorkloadAction.GiveRole one -> users.get(name).add(name);
        case WorkloadAction.TakeRole one -> users.get(name).remove(one.role());
        case WorkloadAction.Prove one -> {
          passwords.put(name, secrets.get(workload));
          proven.add(name);
        }
        case WorkloadAction.RemoveUser one -> {
          users.remove(name);
          passwords.remove(name);
        }
        case WorkloadAction.RemoveRole one -> roles.remove(name);
      }
    }

    private List<Permission> wishes(Workload workload) {
      List<Declaration> all = new ArrayList<>();
      pods.stream().filter(pod -> pod.workload().equals(workload) && !pod.ended()).forEach(pod -> all.add(pod.declaration()));
      Optional.ofNullable(templates.get(workload)).ifPresent(all::add);
      return all.stream().flatMap(one -> granted(one).stream()).toList();
    }

    private Set<Permission> granted(Declaration declaration) {
      return Verdict.of(declaration, injection) instanceof Verdict.Granted(Set<Permission> permissions) ? permissions : Set.of();
    }

    void settle() {
      reachable = true;
      for (int i = 0; i < 6; i++) {
        pass(Integer.MAX_VALUE);
      }
      assertThat(plan().actions()).as("seed %d: it comes to rest", seed).isEmpty();
      Map<Workload, Set<Permission>> expected = new HashMap<>();
      pods.stream().filter(pod -> !pod.ended() && !granted(pod.declaration()).isEmpty())
          .forEach(pod -> expected.merge(pod.workload(), granted(pod.declaration()), World::both));
      expected.forEach((workload, permissions) -> {
        assertThat(roles.get(workload.user())).as("seed %d: %s", seed, workload).isEqualTo(permissions);
        assertThat(users.get(workload.user())).containsExactly(workload.user());
        assertThat(passwords.get(workload.user())).as("seed %d: the password of the Secret", seed).isEqualTo(secrets.get(workload));
      });
      for (String user : users.keySet()) {
        Workload workload = Workload.ofUser(user).orElseThrow();
        boolean template = templates.containsKey(workload) && !granted(templates.get(workload)).isEmpty();
        assertThat(expected.containsKey(workload) || template).as("seed %d: %s has a reason", seed, user).isTrue();
      }
      assertThat(users.keySet()).as("seed %d", seed).isEqualTo(roles.keySet())
          .isEqualTo(secrets.keySet().stream().map(Workload::user).collect(Collectors.toSet()));
    }

    private static Set<Permission> both(Set<Permission> one, Set<Permission> other) {
      return Verdict.union(Stream.of(one, other));
    }
  }
}
