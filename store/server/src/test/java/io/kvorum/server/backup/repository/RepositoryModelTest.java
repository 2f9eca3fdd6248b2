package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.FolderStoreTest.Crash;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Runs, deletions and collections of several processes, one into another at each access to the store, with hours between and with crashes. Whatever happens: when no process is at work, a backup
 * that is listed leads back to a full one, and all that it names is there. At the end nothing is left that no backup names.
 */
class RepositoryModelTest {
  private static final int ROUNDS = 100;
  private static final int STEPS = 600;
  private static final int PROCESSES_MAX = 3;
  private static final Set<Reason> REFUSALS = EnumSet.of(Reason.IN_USE, Reason.NOT_FOUND, Reason.DELTA_GAP, Reason.FAILED);

  private Random random;
  private Instant now;
  private Interleaving processes;
  private MemoryStore store;
  private Optional<EncryptionKey> key;
  private int number;
  private int publishing;
  private int published;
  private int collected;
  private final Map<String, Integer> refused = new HashMap<>();

  @Test
  void every_listed_backup_can_be_restored_whatever_happened() throws IOException {
    for (int seed = 0; seed < ROUNDS; seed++) {
      begin(seed);
      for (int step = 0; step < STEPS; step++) {
        if (processes.open() == 0) {
          assertWhole("seed " + seed + " step " + step);
        }
        if (processes.open() < PROCESSES_MAX && random.nextInt(10) == 0) {
          processes.begin(work(random.nextInt(6)));
        }
        time();
        if (processes.open() > 0) {
          processes.advance();
        }
      }
      while (processes.open() > 0) {
        processes.advance();
      }
      end("seed " + seed);
    }
    assertThat(published).isGreaterThan(5 * ROUNDS);
    assertThat(collected).isGreaterThan(ROUNDS);
    // What one process does makes others fail now and then, so they really meet.
    assertThat(refused.keySet()).contains("DeltaGap", "InUse");
  }

  private void begin(int seed) throws IOException {
    random = new Random(seed);
    now = Backups.EPOCH;
    processes = new Interleaving(random);
    store = new MemoryStore(() -> now, () -> processes.step());
    key = random.nextBoolean() ? Optional.of(Backups.key(1)) : Optional.empty();
    publishing = 0;
    open();
  }

  private Repository open() throws IOException {
    return Repository.openOrCreate(store, key, Backups.settings(() -> now, point -> processes.step()));
  }

  /** Hours may pass at any time, but a manifest is not half an hour on its way. */
  private void time() {
    boolean hours = publishing == 0 && random.nextInt(15) == 0;
    now = now.plus(hours ? Duration.ofMinutes(random.nextInt(20 * 60)) : Duration.ofSeconds(random.nextInt(10)));
  }

  /** Work that may be refused, and may end in the middle. */
  private Interleaving.Work work(int kind) {
    boolean crashes = random.nextInt(5) == 0;
    return () -> {
      try {
        switch (kind) {
          case 0, 1, 2 -> backup(crashes);
          case 3, 4 -> deleteOne();
          default -> collected += open().collect(Repository.GRACE).objects();
        }
      } catch (Crash e) {
        // The next one goes on.
      } catch (BackupException e) {
        refused.merge(e.reason().word(), 1, Integer::sum);
        assertThat(REFUSALS).as(e.getMessage()).contains(e.reason());
      }
    };
  }

  /** A few segments that backups share, or a delta behind any backup. */
  private void backup(boolean crashes) throws IOException {
    Repository repository = open();
    List<PublishedBackup> backups = repository.backups().backups();
    int id = ++number;
    BackupManifest manifest =
        backups.isEmpty() || random.nextInt(3) == 0
            ? Backups.full(repository, "f" + id, id, random.nextInt(5), random.nextInt(5))
            : Backups.delta(repository, "d" + id, Chain.endingAt(backups, backups.get(random.nextInt(backups.size())).id()));
    if (crashes) {
      throw new Crash();
    }
    publishing++;
    try {
      repository.publish(manifest);
      published++;
    } finally {
      publishing--;
    }
  }

  private void deleteOne() throws IOException {
    Repository repository = open();
    List<PublishedBackup> backups = repository.backups().backups();
    if (!backups.isEmpty()) {
      repository.delete(backups.get(random.nextInt(backups.size())).id(), random.nextBoolean());
    }
  }

  private void assertWhole(String when) throws IOException {
    Repository.Listing listing = open().backups();
    assertThat(listing.damaged()).as(when).isEmpty();
    for (PublishedBackup backup : listing.backups()) {
      Chain.endingAt(listing.backups(), backup.id());
      for (String name : Manifests.sizes(backup.manifest()).keySet()) {
        assertThat(store.items).as("%s: %s", when, backup.id()).containsKey(name);
      }
    }
  }

  private void end(String when) throws IOException {
    assertWhole(when);
    Repository repository = open();
    for (PublishedBackup backup : repository.backups().backups()) {
      for (BackupManifest.Segment segment : backup.manifest().segments()) {
        assertThat(Backups.content(repository, Kind.SEGMENT, segment.hex())).isEqualTo(Backups.bytes(segment.firstRevision(), 1000));
      }
    }
    now = now.plus(Repository.GRACE.multipliedBy(2));
    repository.collect(Repository.GRACE);
    Set<String> expected = new TreeSet<>(Manifests.named(repository.backups().backups()));
    expected.add(RepositoryFile.NAME);
    repository.backups().backups().forEach(backup -> expected.add("backups/" + backup.id() + ".json"));
    assertThat(store.items.keySet()).as(when).isEqualTo(expected);
  }
}
