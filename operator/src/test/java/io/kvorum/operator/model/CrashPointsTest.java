package io.kvorum.operator.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Whole procedures, and each once more for every side effect after which the operator dies: the next one finishes what it finds. */
class CrashPointsTest {
  private static final int PASSES = 400;

  /** Runs it without a crash, then with one at each point. @param begin starts it and says how its end is known */
  private static void everywhere(int replicas, Function<History, BooleanSupplier> begin) {
    int points = run(replicas, begin, -1);
    assertThat(points).isGreaterThan(10);
    for (int point = 1; point <= points; point++) {
      run(replicas, begin, point);
    }
  }

  private static int run(int replicas, Function<History, BooleanSupplier> begin, int point) {
    History history = new History(42, replicas);
    assertThat(history.until(PASSES, () -> history.world.cluster.getStatus() != null && history.settled())).as(() -> history.tail(40)).isTrue();
    BooleanSupplier end = begin.apply(history);
    history.crashAt(point);
    assertThat(history.until(PASSES, end)).as(() -> "crash at point " + point + "\n" + history.tail(60)).isTrue();
    return history.points();
  }

  @Test
  void growing() {
    everywhere(1, history -> {
      history.spec("replicas", 3);
      return history::settled;
    });
  }

  @Test
  void shrinking() {
    everywhere(3, history -> {
      history.spec("replicas", 1);
      return history::settled;
    });
  }

  @Test
  void rolling() {
    everywhere(3, history -> {
      history.world.template = "t1";
      int transfers = history.world.store.transfers;
      return () -> {
        boolean done = history.settled();
        assertThat(history.world.store.transfers - transfers).as("leader changes of one roll").isLessThanOrEqualTo(1);
        return done;
      };
    });
  }

  @Test
  void replacingALostVolume() {
    everywhere(3, history -> {
      history.world.pods.remove("c-1");
      history.world.claims.remove("c-1");
      return () -> history.settled() && !history.world.members.containsKey("c-1");
    });
  }

  @Test
  void recoveringFromALostMajority() {
    everywhere(3, history -> {
      long before = history.world.store.clusterId;
      for (String gone : List.of("c-0", "c-1")) {
        history.world.pods.remove(gone);
        history.world.claims.get(gone).lost = true;
      }
      KvorumOperation operation = history.operation(Map.of("recoverQuorum", Map.of("acknowledgeDataLoss", true)));
      return () -> history.settled() && history.world.store.clusterId != before
          && operation.getStatus().phase() == KvorumOperationStatus.Phase.SUCCEEDED;
    });
  }

  private static final Map<String, Object> BACKUP = Map.of("destination", Map.of("s3", Map.of("bucket", "b")));

  @Test
  void recoveringFromALostMajorityWithABackupAfterwards() {
    everywhere(3, history -> {
      history.spec("backup", BACKUP);
      for (String gone : List.of("c-0", "c-1")) {
        history.world.pods.remove(gone);
        history.world.claims.get(gone).lost = true;
      }
      KvorumOperation operation = history.operation(Map.of("recoverQuorum", Map.of("acknowledgeDataLoss", true)));
      return () -> {
        boolean done = history.settled() && operation.getStatus().phase() == KvorumOperationStatus.Phase.SUCCEEDED;
        if (done) {
          assertThat(history.world.backups).as("one backup, whatever crashes").hasSize(1);
          assertThat(history.world.backups.values().iterator().next().known().phase()).isEqualTo(KvorumBackupStatus.Phase.VERIFIED);
        }
        return done;
      };
    });
  }

  @Test
  void restoringInPlace() {
    everywhere(3, history -> {
      history.spec("backup", BACKUP);
      KvorumBackup backup = history.backup("b");
      assertThat(history.until(PASSES, () -> backup.known().artefact() != null)).isTrue();
      long before = history.world.store.clusterId;
      KvorumOperation operation = history.operation(Map.of("restoreInPlace", Map.of("backupRef", "b", "acknowledgeDataLoss", true)));
      return () -> history.settled() && history.world.store.clusterId == before + 1 && operation.getStatus().phase() == KvorumOperationStatus.Phase.SUCCEEDED
          && history.world.members.keySet().stream().noneMatch(Set.of("c-0", "c-1", "c-2")::contains) && history.world.backups.size() == 2;
    });
  }

  @Test
  void aRestoreThatDoesNotSucceedInTimeIsUndone() {
    History history = new History(9, 3);
    history.spec("backup", BACKUP);
    assertThat(history.until(PASSES, () -> history.world.cluster.getStatus() != null && history.settled())).isTrue();
    KvorumBackup backup = history.backup("b");
    assertThat(history.until(PASSES, () -> backup.known().artefact() != null)).isTrue();
    long before = history.world.store.clusterId;
    KvorumOperation operation =
        history.operation(Map.of("restoreInPlace", Map.of("backupRef", "b", "acknowledgeDataLoss", true), "deadlineSeconds", 60));
    history.world.neverRuns = "c-3";
    assertThat(history.until(PASSES, () -> history.settled() && operation.getStatus().phase().isFinal())).as(() -> history.tail(60)).isTrue();
    assertThat(operation.getStatus().phase()).isEqualTo(KvorumOperationStatus.Phase.FAILED);
    assertThat(history.world.store.clusterId).as("the data that was there").isEqualTo(before);
    assertThat(history.world.members.keySet()).containsExactly("c-0", "c-1", "c-2");
  }

  @Test
  void beginningFromABackup() {
    for (int point = 1; point <= 40; point++) {
      History history = new History(42, 3);
      history.spec("bootstrap", Map.of("recovery", Map.of("location", "s3://b/p")));
      history.spec("backup", BACKUP);
      history.crashAt(point);
      assertThat(history.until(PASSES, () -> history.world.cluster.getStatus() != null && history.settled())).as(() -> history.tail(60)).isTrue();
      assertThat(history.world.store.clusterId).isEqualTo(0xbac);
    }
  }

  @Test
  void deletingAfterAFinalBackup() {
    everywhere(3, history -> {
      history.spec("backup", BACKUP);
      history.spec("deletion", Map.of("finalBackup", true));
      history.world.cluster.getMetadata().setDeletionTimestamp(history.world.now.toString());
      return () -> {
        if (history.world.pods.size() < 3) {
          assertThat(history.world.backups.values()).as("nothing stops before the backup is proven")
              .anyMatch(backup -> backup.known().phase() == KvorumBackupStatus.Phase.VERIFIED);
        }
        return history.world.deleted && history.world.backups.size() == 1;
      };
    });
  }

  @Test
  void hibernatingAndWaking() {
    everywhere(3, history -> {
      history.spec("hibernated", true);
      return () -> {
        if (history.world.pods.isEmpty() && history.world.cluster.getStatus().memory().hibernated()) {
          history.spec("hibernated", false);
        }
        return !history.world.cluster.getSpec().hibernated() && history.settled() && history.world.store.term > 1;
      };
    });
  }

  @Test
  void deleting() {
    everywhere(3, history -> {
      history.world.cluster.getMetadata().setDeletionTimestamp(history.world.now.toString());
      return () -> history.world.deleted;
    });
  }

  @Test
  void aRecoveryThatWouldLoseMoreThanTheUserAcceptsIsNotDone() {
    History history = new History(7, 3);
    assertThat(history.until(PASSES, () -> history.world.cluster.getStatus() != null && history.settled())).isTrue();
    for (String gone : List.of("c-0", "c-1")) {
      history.world.pods.remove(gone);
      history.world.claims.get(gone).lost = true;
    }
    KvorumOperation operation =
        history.operation(Map.of("recoverQuorum", Map.of("acknowledgeDataLoss", true, "minRevision", 1_000_000_000)));
    assertThat(history.until(PASSES, () -> operation.getStatus() != null && operation.getStatus().phase().isFinal())).isTrue();
    assertThat(operation.getStatus().phase()).isEqualTo(KvorumOperationStatus.Phase.FAILED);
    assertThat(history.world.claims.get("c-2").copied).isFalse();
    assertThat(history.until(PASSES, () -> history.world.pods.containsKey("c-2"))).as("it runs again").isTrue();
  }
}
