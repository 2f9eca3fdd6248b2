package io.kvorum.operator.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.model.Specs;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What retention deletes, and what it never does. */
class RetentionTest {
  private static final Map<String, Object> PLACE = Map.of("s3", Map.of("bucket", "b"));

  private final World world = new World();
  private int minute;

  /** A finished backup, a minute younger than the one before. @param owner schedule, "delta" for what is taken by itself, empty for the user */
  private KvorumBackup ended(String name, String owner, Phase phase, String previous) {
    KvorumBackup backup = world.backup(name, Map.of("deletionPolicy", "Delete"));
    if (!owner.isEmpty()) {
      backup.getMetadata().setLabels(owner.equals("delta") ? Map.of(Names.CONTINUOUS, "true") : Map.of(Names.SCHEDULE, owner));
    }
    Instant at = World.START.plus(Duration.ofMinutes(++minute));
    Map<String, Object> status = new HashMap<>(Map.of("phase", phase.name().charAt(0) + phase.name().substring(1).toLowerCase(Locale.ROOT)));
    if (phase != Phase.RUNNING) {
      status.put("completedAt", Api.time(at));
    }
    if (phase != Phase.RUNNING && !name.startsWith("none")) {
      status.put("destination", PLACE);
      status.put("artefact", Map.of("id", name, "previous", previous, "toRevision", minute, "clusterID", World.ID));
    }
    backup.setStatus(Specs.of(status, KvorumBackupStatus.class));
    world.now = at;
    return backup;
  }

  private KvorumBackup full(String name, String owner) {
    return ended(name, owner, Phase.COMPLETED, "");
  }

  private List<String> deletable() {
    return new Retention(world.now, "c", List.copyOf(world.backups.values()), List.copyOf(world.schedules.values())).deletable().stream()
        .map(backup -> backup.getMetadata().getName()).toList();
  }

  @Test
  void theLastOnesAreKept() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 2)));
    for (String name : List.of("a", "b", "c", "d")) {
      full(name, "s");
    }
    assertThat(deletable()).containsExactly("a", "b");
  }

  @Test
  void youngOnesAreKeptAndEitherRuleIsEnough() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepFor", "2m")));
    for (String name : List.of("a", "b", "c", "d")) {
      full(name, "s");
    }
    assertThat(deletable()).containsExactly("a", "b");
    world.later(Duration.ofDays(30));
    assertThat(deletable()).as("the newest is always kept").containsExactly("a", "b", "c");
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepFor", "2m", "keepLast", 3)));
    assertThat(deletable()).containsExactly("a");
  }

  @Test
  void theNewestVerifiedChainIsKept() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    ended("a", "s", Phase.VERIFIED, "");
    ended("b", "s", Phase.VERIFIED, "");
    full("c", "s");
    full("d", "s");
    assertThat(deletable()).containsExactly("a", "c");
  }

  @Test
  void aChainGoesAsAWholeTheYoungestFirst() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    full("a", "s");
    ended("a1", "delta", Phase.COMPLETED, "a");
    ended("a2", "s", Phase.COMPLETED, "a1");
    assertThat(deletable()).as("a2 needs them").isEmpty();
    full("b", "s");
    assertThat(deletable()).containsExactly("a2", "a1", "a");
  }

  @Test
  void whatAUserAskedForIsKeptWithAllThatItNeeds() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    full("a", "s");
    ended("mine", "", Phase.COMPLETED, "a");
    full("b", "s");
    full("c", "s");
    assertThat(deletable()).containsExactly("b");
    full("other", "a schedule that is gone");
    full("d", "s");
    assertThat(deletable()).containsExactly("b", "c");
  }

  @Test
  void nothingIsDeletedBesideARunOrAfterAFailure() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    full("a", "s");
    full("b", "s");
    ended("none-1", "s", Phase.FAILED, "");
    assertThat(deletable()).isEmpty();
    full("c", "s");
    assertThat(deletable()).containsExactly("a", "b");
    ended("run", "", Phase.RUNNING, "");
    assertThat(deletable()).isEmpty();
  }

  @Test
  void whatIsTakenByItselfIsKeptAsLongAsAnOlderRunIsAndElseTwoChains() {
    full("x", "delta");
    ended("x1", "delta", Phase.COMPLETED, "x");
    full("y", "delta");
    full("z", "delta");
    assertThat(deletable()).containsExactly("x1", "x");
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    full("a", "s");
    full("p", "delta");
    full("q", "delta");
    full("r", "delta");
    assertThat(deletable()).containsExactly("x1", "x", "y", "z");
  }

  @Test
  void deletingTheStartOfAChainByHandFreesWhatWasTakenByItselfOnIt() {
    KvorumBackup mine = full("mine", "");
    ended("m1", "delta", Phase.COMPLETED, "mine");
    full("y", "delta");
    assertThat(deletable()).isEmpty();
    mine.getMetadata().setDeletionTimestamp("2026-06-01T00:00:00Z");
    assertThat(deletable()).containsExactly("m1");
  }

  @Test
  void threeFailuresAreKept() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 5)));
    for (int i = 0; i < 5; i++) {
      ended("none-" + i, "s", Phase.FAILED, "");
    }
    full("a", "s");
    assertThat(deletable()).containsExactly("none-0", "none-1");
  }

  @Test
  void otherClustersAreNobodysBusiness() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "retention", Map.of("keepLast", 1)));
    full("o", "s").setSpec(Specs.of(Map.of("clusterRef", "other"), KvorumBackupSpec.class));
    full("a", "s");
    assertThat(deletable()).isEmpty();
  }

  /** Random namespaces: the promises hold whatever there is, and following the order never takes away what something needs. */
  @Test
  void thePromisesHoldForAllNamespaces() {
    int deleted = 0;
    for (long seed = 1; seed <= 400; seed++) {
      Random random = new Random(seed);
      RetentionTest test = new RetentionTest();
      World life = test.world;
      int keepLast = 1 + random.nextInt(4);
      if (random.nextInt(4) > 0) {
        life.schedule("s", Map.of("schedule", "0 3 * * *", "retention", random.nextBoolean() ? Map.of("keepLast", keepLast) : Map.of("keepFor", "5m")));
      }
      String tip = "";
      for (int i = 0; i < 5 + random.nextInt(25); i++) {
        String owner = List.of("s", "s", "delta", "delta", "").get(random.nextInt(5));
        boolean full = tip.isEmpty() || random.nextInt(3) == 0;
        Phase phase = List.of(Phase.COMPLETED, Phase.COMPLETED, Phase.COMPLETED, Phase.VERIFIED, Phase.FAILED).get(random.nextInt(5));
        String name = (phase == Phase.FAILED && random.nextBoolean() ? "none" : "n") + i;
        test.ended(name, owner, phase, full ? "" : tip);
        tip = name.startsWith("none") ? tip : name;
        if (random.nextInt(25) == 0) {
          life.delete(name);
        }
      }
      life.later(Duration.ofMinutes(random.nextInt(20)));
      deleted += promises(life, seed);
    }
    assertThat(deleted).as("the namespaces are eventful").isGreaterThan(200);
  }

  private static int promises(World life, long seed) {
    List<KvorumBackup> all = List.copyOf(life.backups.values());
    List<KvorumBackup> gone = new Retention(life.now, "c", all, List.copyOf(life.schedules.values())).deletable();
    Set<String> names = new HashSet<>(gone.stream().map(backup -> backup.getMetadata().getName()).toList());
    assertThat(names).as("seed %d: each once", seed).hasSameSizeAs(gone);
    Chains chains = new Chains(all);
    Optional<KvorumBackup> verified = all.stream()
        .filter(backup -> backup.known().phase() == Phase.VERIFIED && !chains.upTo(backup).isEmpty()).max(Chains.BY_AGE);
    Optional<KvorumBackup> newest = all.stream().filter(backup -> !chains.upTo(backup).isEmpty()).max(Chains.BY_AGE);
    for (Optional<KvorumBackup> protectedOne : List.of(verified, newest)) {
      protectedOne.ifPresent(backup -> assertThat(chains.upTo(backup)).as("seed %d: %s", seed, backup.getMetadata().getName())
          .noneMatch(link -> names.contains(link.getMetadata().getName())));
    }
    assertThat(gone).as("seed %d: what users asked for", seed)
        .noneMatch(backup -> Retention.schedule(backup).isEmpty() && !Retention.continuous(backup) && backup.getMetadata().getDeletionTimestamp() == null);
    Set<String> left = new HashSet<>(life.backups.keySet());
    for (KvorumBackup backup : gone) {
      left.remove(backup.getMetadata().getName());
      assertThat(chains.dependents(backup)).as("seed %d: %s goes after what needs it", seed, backup.getMetadata().getName())
          .noneMatch(dependent -> left.contains(dependent.getMetadata().getName()) && dependent.getMetadata().getDeletionTimestamp() == null);
    }
    life.schedules.values().forEach(schedule -> {
      Integer last = schedule.getSpec().retention().keepLast();
      List<KvorumBackup> runs = all.stream().filter(backup -> Chains.usable(backup) && Retention.schedule(backup).equals("s")).sorted(Chains.BY_AGE).toList();
      if (last != null) {
        assertThat(runs.subList(Math.max(0, runs.size() - last), runs.size())).as("seed %d: the last %d", seed, last)
            .noneMatch(backup -> names.contains(backup.getMetadata().getName()));
      }
    });
    return gone.size();
  }
}
