package io.kvorum.operator.model;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.engine.ClusterEngine;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.plan.Plan;
import io.kvorum.operator.plan.Planner;
import io.kvorum.operator.status.StatusWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** A life of one cluster: faults, a user's edits and crashes of the operator, all drawn from a seed. */
public final class History {
  /** The operator dies here. */
  private static final class Crash extends RuntimeException {
    Crash(String point) {
      super(point, null, false, false);
    }
  }

  final ModelWorld world;
  private final Random random;
  private final ClusterEngine engine;
  private final List<String> log = new ArrayList<>();
  private boolean crashes;
  private int serial;
  private int points;
  private int crashAt = -1;
  private Plan last;

  public History(long seed) {
    this(seed, 0);
  }

  /** @param replicas 0 for any */
  History(long seed, int replicas) {
    random = new Random(seed);
    world = new ModelWorld(random, Specs.with(Specs.base(), "replicas", replicas == 0 ? List.of(1, 3, 3, 5).get(random.nextInt(4)) : replicas));
    engine = new ClusterEngine(world, world.store, new Planner()::plan, StatusWriter::status, this::reached);
  }

  private void reached(String point) {
    points++;
    if (points == crashAt || (crashes && random.nextInt(40) == 0)) {
      log.add(world.now + " CRASH at " + point);
      throw new Crash(point);
    }
  }

  /** From now on the operator dies at this side effect, once. */
  void crashAt(int point) {
    points = 0;
    crashAt = point;
  }

  /** Side effects since {@link #crashAt}. */
  int points() {
    return points;
  }

  /** So many seconds and one pass, which may die anywhere. */
  public void pass(int seconds) {
    world.tick(seconds);
    try {
      ClusterEngine.Outcome outcome = engine.pass();
      last = outcome.plan();
      String line = last.rung() + " " + last.action().map(Object::toString).orElse("-") + " " + last.progress().reason() + " "
          + last.progress().guard() + " " + last.progress().message() + (outcome.failure().isEmpty() ? "" : " FAILED " + outcome.failure());
      if (log.isEmpty() || !log.getLast().endsWith(line)) {
        log.add(world.now + " " + line);
      }
    } catch (Crash crash) {
      // The next pass is a new operator's first.
    }
  }

  /** Trouble for so many passes. */
  public void live(int passes) {
    world.faults = true;
    crashes = true;
    for (int i = 0; i < passes; i++) {
      if (random.nextInt(8) == 0) {
        fault();
      }
      if (random.nextInt(12) == 0) {
        edit();
      }
      pass(1 + random.nextInt(3));
    }
  }

  /** Trouble ends and the user leaves it alone. True once all is as the specification wants it. */
  public boolean settle(int passes) {
    world.faults = false;
    crashes = false;
    world.badTemplates.clear();
    if (world.template.startsWith("bad")) {
      world.template = "t" + ++serial;
    }
    world.nodes.replaceAll((name, node) -> new NodeState(name, node.zone(), true, true, false, false));
    spec("paused", false);
    spec("hibernated", false);
    for (int i = 0; i < passes; i++) {
      pass(5);
      if (settled()) {
        return true;
      }
    }
    return false;
  }

  boolean settled() {
    KvorumClusterStatus status = world.cluster.getStatus();
    boolean ready = status.condition("Ready").map(condition -> condition.status() == Condition.Status.TRUE).orElse(false);
    return ready && status.currentAction() == null && last.action().isEmpty() && world.members.size() == world.cluster.getSpec().replicas()
        && world.members.values().stream().noneMatch(member -> member.getMetadata().getDeletionTimestamp() != null)
        && world.claims.values().stream().allMatch(claim -> claim.requested == world.cluster.getSpec().storage().bytes())
        && world.claims.size() == world.members.size()
        && world.pods.values().stream().allMatch(pod -> pod.serves && pod.hash.equals(world.template))
        && world.members.keySet().stream().allMatch(name -> world.configOf(name).equals(world.config))
        && world.operations.values().stream().allMatch(operation -> operation.getStatus() != null && operation.getStatus().phase().isFinal())
        && world.store.alarms.isEmpty();
  }

  /** What happened last, for a failure's message. */
  public String tail(int lines) {
    StringBuilder now = new StringBuilder();
    world.members.forEach((name, member) -> now.append("\n").append(name).append(' ').append(member.getStatus()).append(' ')
        .append(world.store.list.containsKey(name) ? world.store.list.get(name).learner ? "learner" : "voter" : "unlisted").append(" up=")
        .append(world.store.up(name)));
    world.operations.values().stream().filter(operation -> operation.getStatus() == null || !operation.getStatus().phase().isFinal())
        .forEach(operation -> now.append("\n").append(operation.getSpec()).append(' ').append(operation.getStatus()));
    return String.join("\n", log.subList(Math.max(0, log.size() - lines), log.size())) + now + "\n" + world.cluster.getStatus().currentAction() + "\n"
        + world.cluster.getStatus().memory();
  }

  /** Passes until this holds; false when it does not within so many. */
  boolean until(int passes, BooleanSupplier reached) {
    for (int i = 0; i < passes; i++) {
      pass(1);
      if (reached.getAsBoolean()) {
        return true;
      }
    }
    return false;
  }

  private void note(String what) {
    log.add(world.now + " ---- " + what);
  }

  void spec(String field, Object value) {
    world.cluster.setSpec(Specs.with(world.cluster.getSpec(), field, value));
    world.cluster.getMetadata().setGeneration(world.cluster.getMetadata().getGeneration() + 1);
  }

  private String anyone() {
    List<String> names = List.copyOf(world.members.keySet());
    return names.isEmpty() ? "" : names.get(random.nextInt(names.size()));
  }

  private void fault() {
    String name = anyone();
    ModelWorld.Pod pod = world.pods.get(name);
    switch (random.nextInt(8)) {
      case 0, 1 -> {
        if (pod != null) {
          note("process of " + name + " crashes");
          pod.notReadyFor = 1 + random.nextInt(30);
        }
      }
      case 2 -> {
        note("pod of " + name + " vanishes");
        world.pods.remove(name);
      }
      case 3, 4 -> node();
      case 5 -> {
        note("leadership moves by itself");
        world.store.elect();
      }
      case 6 -> lose(name);
      default -> {
        if (expendable(name)) {
          note(name + " is corrupt");
          world.store.alarms.add(new ActiveAlarm(world.store.list.get(name).id, ActiveAlarm.Kind.CORRUPT));
        }
      }
    }
  }

  private void node() {
    String name = "node" + random.nextInt(6);
    NodeState node = world.nodes.get(name);
    boolean otherDown = world.nodes.values().stream().anyMatch(other -> !other.ready() && !other.name().equals(name));
    boolean ready = otherDown || random.nextInt(3) > 0;
    note(name + " ready=" + ready);
    world.nodes.put(name, new NodeState(name, node.zone(), true, ready, random.nextBoolean() && random.nextBoolean(), false));
  }

  /** Its data may go without the cluster losing quorum for good: a fault that no operator could mend is another test's business. */
  private boolean expendable(String name) {
    ModelStore.Entry entry = world.store.list.get(name);
    boolean whole = world.claims.values().stream().noneMatch(claim -> claim.lost) && world.claims.keySet().containsAll(world.store.list.keySet());
    return entry != null && !entry.learner && entry.started && world.store.voters() >= 3 && whole && world.store.alarms.isEmpty();
  }

  private void lose(String name) {
    if (!expendable(name)) {
      return;
    }
    note("volume of " + name + " is lost");
    world.pods.remove(name);
    if (random.nextBoolean()) {
      world.claims.remove(name);
    } else {
      world.claims.get(name).lost = true;
    }
  }

  private void edit() {
    switch (random.nextInt(14)) {
      case 12 -> {
        note("deltas are taken by themselves, and a backup before the end");
        spec("backup", Map.of("destination", Map.of("s3", Map.of("bucket", "b")), "delta", Map.of("enabled", true, "interval", "30s")));
        spec("deletion", Map.of("finalBackup", random.nextBoolean()));
      }
      case 13 -> withBackup();
      case 0, 1, 2 -> {
        int replicas = List.of(1, 3, 3, 5).get(random.nextInt(4));
        note("replicas " + replicas);
        spec("replicas", replicas);
      }
      case 3, 4 -> {
        world.template = (random.nextInt(4) == 0 ? "bad" : "t") + ++serial;
        if (world.template.startsWith("bad")) {
          world.badTemplates.add(world.template);
        }
        note("template " + world.template);
      }
      case 5 -> {
        KvorumMember member = world.members.get(anyone());
        if (member != null && member.getMetadata().getDeletionTimestamp() == null) {
          note("delete " + member.getSpec().memberName());
          member.getMetadata().setDeletionTimestamp(world.now.toString());
        }
      }
      case 6 -> spec("paused", !world.cluster.getSpec().paused() && random.nextBoolean());
      case 7 -> {
        boolean hibernated = !world.cluster.getSpec().hibernated() && random.nextInt(3) == 0;
        note("hibernated " + hibernated);
        spec("hibernated", hibernated);
      }
      case 8 -> spec("storage", Map.of("size", world.cluster.getSpec().storage().bytes() + 1048576));
      case 9 -> world.config = "c" + ++serial;
      case 10 -> spec("leader", Map.of("preferredZones", List.of("zone" + random.nextInt(3))));
      default -> operation();
    }
  }

  /** A restore or a verification of some backup there is. */
  private void withBackup() {
    List<String> names = List.copyOf(world.backups.keySet());
    if (!names.isEmpty()) {
      String name = names.get(random.nextInt(names.size()));
      operation(random.nextBoolean()
          ? Map.of("verifyBackup", Map.of("backupRef", name))
          : Map.of("restoreInPlace", Map.of("backupRef", name, "acknowledgeDataLoss", true), "deadlineSeconds", 600));
    }
  }

  private void operation() {
    Map<String, Object> what = switch (random.nextInt(5)) {
      case 0 -> Map.of("transferLeader", random.nextBoolean() ? Map.of() : Map.of("to", anyone()));
      case 1 -> Map.of("restart", Map.of("reason", "wish"));
      case 2 -> Map.of("replaceMember", Map.of("member", anyone()));
      case 3 -> Map.of("defragment", Map.of());
      default -> Map.of("compact", Map.of());
    };
    operation(what);
  }

  /** A backup that a user asks for. */
  KvorumBackup backup(String name) {
    world.createBackup(new BackupAction.CreateBackup(name, Specs.of(Map.of("clusterRef", "c"), KvorumBackupSpec.class), Map.of()));
    return world.backups.get(name);
  }

  KvorumOperation operation(Map<String, Object> what) {
    KvorumOperation operation = new KvorumOperation();
    operation.setMetadata(new ObjectMetaBuilder().withName("o" + ++serial).build());
    operation.setSpec(Specs.of(new HashMap<>(what), KvorumOperationSpec.class));
    note("operation " + operation.getMetadata().getName() + " " + what);
    world.operations.put(operation.getMetadata().getName(), operation);
    return operation;
  }
}
