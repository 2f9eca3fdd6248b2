package io.kvorum.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RaftLogTest {
  private final MemoryLog stored = new MemoryLog();

  private static Entry entry(long index, long term) {
    return new Entry(term, index, EntryType.NORMAL, 0, new byte[8]);
  }

  /** Entries from {@code index} on with these terms. */
  private static List<Entry> entries(long index, long... terms) {
    List<Entry> list = new ArrayList<>();
    for (int i = 0; i < terms.length; i++) {
      list.add(entry(index + i, terms[i]));
    }
    return list;
  }

  private void handOut(RaftLog log) {
    stored.append(log.takeAppend());
  }

  @Test
  void aLateReportOfOverwrittenEntriesDoesNotMakeTheirSuccessorsDurable() {
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(1, 1, 1));
    handOut(log);
    log.merge(entries(2, 2));
    handOut(log);
    // The first entry comes back: same index and term as in the first hand-out, which is not durable yet.
    log.merge(entries(2, 1, 3));
    handOut(log);

    assertThat(log.persisted(2, 1)).isTrue();
    assertThat(log.persisted()).as("only what was never overwritten").isEqualTo(1);
    assertThat(log.persisted(2, 2)).isFalse();
    assertThat(log.persisted(3, 3)).isTrue();
    assertThat(log.persisted()).isEqualTo(3);
  }

  @Test
  void oneReportStandsForAllEarlierHandOuts() {
    RaftLog log = new RaftLog(stored, 0, 0);
    for (int i = 1; i <= 5; i++) {
      log.append(entry(i, 1));
      handOut(log);
    }
    assertThat(log.persisted(4, 1)).isTrue();
    assertThat(log.persisted()).isEqualTo(4);
    assertThat(log.persisted(4, 1)).as("repeated").isFalse();
    assertThat(log.persisted(9, 9)).as("never handed out").isFalse();
  }

  @Test
  void onlyWhatIsCommittedAndDurableIsHandedToTheStateMachine() {
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(1, 1, 1, 1));
    handOut(log);
    log.commitTo(2);
    assertThat(log.takeCommitted(1_000)).isEmpty();
    log.persisted(3, 1);
    assertThat(log.takeCommitted(1_000)).extracting(Entry::index).containsExactly(1L, 2L);
    assertThat(log.takeCommitted(1_000)).isEmpty();
    assertThatThrownBy(() -> log.applied(3)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void atMostOneBoundOfEntriesWaitsToBeApplied() {
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(1, 1, 1, 1, 1, 1, 1));
    handOut(log);
    log.persisted(6, 1);
    log.commitTo(6);
    assertThat(log.takeCommitted(80)).as("two entries of 40 bytes").hasSize(2);
    assertThat(log.takeCommitted(80)).isEmpty();
    log.applied(2);
    assertThat(log.takeCommitted(80)).hasSize(2);
  }

  @Test
  void aCommittedEntryIsNeverOverwritten() {
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(1, 1, 1));
    log.commitTo(2);
    List<Entry> conflicting = entries(2, 2);
    assertThatThrownBy(() -> log.merge(conflicting)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void reportsFromBeforeASnapshotCountForNothing() {
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(1, 1, 1));
    handOut(log);
    SnapshotMeta meta = new SnapshotMeta(10, 3, Membership.EMPTY);
    log.install(meta);
    assertThat(log.persisted(2, 1)).isFalse();
    assertThat(log.lastIndex()).isEqualTo(10);
    assertThat(log.matches(10, 3)).isTrue();
    assertThat(log.firstIndex()).isEqualTo(11);
    stored.reset(meta);
    assertThat(log.installed(meta)).isTrue();
    log.merge(entries(11, 3, 3));
    handOut(log);
    assertThat(log.persisted(12, 3)).isTrue();
    assertThat(log.persisted()).isEqualTo(12);
  }

  @Test
  void entriesComeFromDiskAndMemoryWithoutASeam() {
    stored.append(entries(1, 1, 1, 2));
    RaftLog log = new RaftLog(stored, 0, 0);
    log.merge(entries(4, 3, 3, 4));
    for (long from = 1; from <= 6; from++) {
      for (long to = from + 1; to <= 7; to++) {
        long first = from;
        assertThat(log.entries(from, to, Long.MAX_VALUE)).extracting(Entry::index).startsWith(first).endsWith(to - 1).hasSize((int) (to - from));
        assertThat(log.entries(from, to, 90)).hasSize((int) Math.min(2, to - from));
        assertThat(log.entries(from, to, 1)).as("at least one").hasSize(1);
      }
    }
  }

  @Test
  void theHintIsTheLastEntryOfNoLaterTerm() {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 300; round++) {
      MemoryLog view = new MemoryLog();
      long term = 1;
      List<Entry> all = new ArrayList<>();
      int size = 1 + random.nextInt(30);
      for (int i = 1; i <= size; i++) {
        term += random.nextInt(3) == 0 ? 1 + random.nextInt(2) : 0;
        all.add(entry(i, term));
      }
      view.append(all.subList(0, size / 2));
      RaftLog log = new RaftLog(view, 0, 0);
      log.merge(all);
      for (long index = 0; index <= size + 2; index++) {
        for (long asked = 0; asked <= term + 1; asked++) {
          long expected = Math.min(index, size);
          while (expected > 0 && log.term(expected) > asked) {
            expected--;
          }
          assertThat(log.lastAtOrBelowTerm(index, asked)).isEqualTo(expected);
        }
      }
    }
  }
}
