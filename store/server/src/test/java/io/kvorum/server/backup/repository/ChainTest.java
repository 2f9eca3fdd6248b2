package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import io.kvorum.server.backup.repository.BackupManifest.Source;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.State;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ChainTest {
  private static PublishedBackup published(BackupManifest manifest) {
    return new PublishedBackup(manifest, Backups.hex(manifest.hashCode()), "memory:" + manifest.id());
  }

  private static PublishedBackup full(String id, long end) {
    Span span = new Span(end, end, 1, end, end, Backups.time(end), Backups.time(end), 0);
    return published(Backups.manifest(id, Type.FULL, span, Optional.empty(), List.of(), List.of(), Optional.of(new State(Backups.hex(1), 1))));
  }

  private static PublishedBackup delta(String id, PublishedBackup previous) {
    BackupManifest before = previous.manifest();
    String hex = before.log().isEmpty() ? "" : before.log().getLast().hex();
    return published(Backups.delta(id, previous, Backups.hex(id.hashCode()), 1, hex, before.span().toIndex()));
  }

  private static List<String> ids(Chain chain) {
    return chain.backups().stream().map(PublishedBackup::id).toList();
  }

  private static void assertGap(List<PublishedBackup> backups, String id, String why) {
    assertThatThrownBy(() -> Chain.endingAt(backups, id))
        .isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DELTA_GAP))
        .hasMessageContaining(why);
  }

  private static PublishedBackup changed(PublishedBackup backup, UnaryOperator<Span> span, Source source, Optional<Previous> previous) {
    BackupManifest m = backup.manifest();
    return published(
        new BackupManifest(
            m.id(), m.type(), source, m.startedAt(), m.completedAt(), span.apply(m.span()), m.contentHash(), previous, m.segments(), m.log(), m.state(), m.bytes(), m.newBytes()));
  }

  @Test
  void a_chain_leads_from_the_full_backup_to_the_one_asked_for() throws BackupException {
    PublishedBackup f = full("f", 10);
    PublishedBackup d1 = delta("d1", f);
    PublishedBackup d2 = delta("d2", d1);
    List<PublishedBackup> all = List.of(d2, f, full("other", 25), d1);

    assertThat(ids(Chain.endingAt(all, "d2"))).containsExactly("f", "d1", "d2");
    assertThat(ids(Chain.endingAt(all, "f"))).containsExactly("f");
    assertThat(Chain.endingAt(all, "d2").log()).extracting(LogChunk::firstIndex).containsExactly(11L, 21L);
    assertThat(Chain.endingAt(all, "d2").lastHex()).isEqualTo(d2.manifest().log().getLast().hex());
    assertThat(Chain.endingAt(all, "f").lastHex()).isEmpty();
    assertThatThrownBy(() -> Chain.endingAt(all, "d3")).isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND));
  }

  @Test
  void a_link_that_does_not_fit_is_a_gap() {
    PublishedBackup f = full("f", 10);
    PublishedBackup d1 = delta("d1", f);
    PublishedBackup d2 = delta("d2", d1);
    Optional<Previous> previous = d2.manifest().previous();
    Source source = Backups.SOURCE;

    assertGap(List.of(f, d2), "d2", "goes on from d1, which is not there");
    assertGap(List.of(d1, d2), "d2", "goes on from f, which is not there");
    assertGap(List.of(f, d1, changed(d2, s -> s, source, Optional.of(new Previous("d1", Backups.hex(9))))), "d2", "another manifest");
    assertGap(List.of(full("f", 11), d1, d2), "d2", "another manifest");
    assertGap(List.of(f, d1, changed(d2, s -> s, new Source("00000000000000ff", "1", "m", "v", 1), previous)), "d2", "cluster 00000000000000ff");
    UnaryOperator<Span> hole = s -> new Span(s.fromIndex() + 1, s.toIndex(), 1, s.fromRevision(), s.toRevision(), s.fromTime(), s.toTime(), 0);
    assertGap(List.of(f, d1, changed(d2, hole, source, previous)), "d2", "begins at index 21, revision 20, not at 20, revision 20");
    UnaryOperator<Span> revisions = s -> new Span(s.fromIndex(), s.toIndex(), 1, s.fromRevision() - 1, s.toRevision(), s.fromTime(), s.toTime(), 0);
    assertGap(List.of(f, d1, changed(d2, revisions, source, previous)), "d2", "revision 19");
    UnaryOperator<Span> term = s -> new Span(s.fromIndex(), s.toIndex(), 0, s.fromRevision(), s.toRevision(), s.fromTime(), s.toTime(), 0);
    assertGap(List.of(f, d1, changed(d2, term, source, previous)), "d2", "term");
    PublishedBackup foreign = published(Backups.delta("d2", d1, Backups.hex(3), 1, Backups.hex(4), 20));
    assertGap(List.of(f, d1, foreign), "d2", "another chunk");
  }

  @Test
  void backups_that_name_each_other_are_a_gap() {
    PublishedBackup f = full("f", 10);
    PublishedBackup a = changed(delta("a", f), s -> s, Backups.SOURCE, Optional.of(new Previous("b", Backups.hex(1))));
    PublishedBackup b = changed(delta("b", f), s -> s, Backups.SOURCE, Optional.of(new Previous("a", Backups.hex(1))));
    assertGap(List.of(f, a, b), "a", "which is not there");
  }

  @Test
  void a_delta_without_entries_hands_the_last_chunk_on() throws BackupException {
    PublishedBackup f = full("f", 10);
    PublishedBackup d1 = delta("d1", f);
    Span still = new Span(20, 20, 1, 20, 20, Backups.time(20), Backups.time(90), 0);
    PublishedBackup idle =
        published(Backups.manifest("d2", Type.DELTA, still, Optional.of(new Previous("d1", d1.sha256())), List.of(), List.of(), Optional.empty()));
    PublishedBackup d3 = published(Backups.delta("d3", idle, Backups.hex(7), 1, d1.manifest().log().getLast().hex(), 20));
    List<PublishedBackup> all = List.of(f, d1, idle, d3);

    assertThat(ids(Chain.endingAt(all, "d3"))).containsExactly("f", "d1", "d2", "d3");
    // Nothing was committed between, but it is known that it was not.
    assertThat(ids(Chain.reaching(List.of(f, d1, idle), new Target.AtTime(Backups.time(80))))).containsExactly("f", "d1", "d2");
  }

  @Test
  void a_target_is_reached_from_the_newest_full_backup_with_no_more_than_is_needed() throws BackupException {
    PublishedBackup f1 = full("f1", 10);
    PublishedBackup d1 = delta("d1", f1);
    PublishedBackup d2 = delta("d2", d1);
    PublishedBackup f2 = full("f2", 25);
    PublishedBackup e1 = delta("e1", f2);
    List<PublishedBackup> all = List.of(e1, d2, f1, d1, f2);

    assertThat(ids(Chain.reaching(all, new Target.AtRevision(10)))).containsExactly("f1");
    assertThat(ids(Chain.reaching(all, new Target.AtRevision(15)))).containsExactly("f1", "d1");
    assertThat(ids(Chain.reaching(all, new Target.AtRevision(20)))).containsExactly("f1", "d1");
    assertThat(ids(Chain.reaching(all, new Target.AtRevision(24)))).containsExactly("f1", "d1", "d2");
    assertThat(ids(Chain.reaching(all, new Target.AtRevision(25)))).containsExactly("f2");
    assertThat(ids(Chain.reaching(all, new Target.AtRevision(30)))).containsExactly("f2", "e1");
    assertThat(ids(Chain.reaching(all, new Target.AtTime(Backups.time(12).plusMillis(500))))).containsExactly("f1", "d1");
    assertThat(ids(Chain.reaching(all, new Target.Latest()))).containsExactly("f2", "e1");
    // Without the second full one the first chain's end is the newest state.
    assertThat(ids(Chain.reaching(List.of(f1, d1, d2), new Target.Latest()))).containsExactly("f1", "d1", "d2");
  }

  @Test
  void a_target_that_no_chain_reaches_is_refused_with_what_there_is() {
    PublishedBackup f1 = full("f1", 10);
    PublishedBackup d1 = delta("d1", f1);
    PublishedBackup f2 = full("f2", 35);
    for (Target target : List.of(new Target.AtRevision(9), new Target.AtRevision(21), new Target.AtRevision(36), new Target.AtTime(Backups.time(36)))) {
      assertThatThrownBy(() -> Chain.reaching(List.of(f1, d1, f2), target))
          .isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND))
          .hasMessageContaining("no chain of backups reaches " + target)
          .hasMessageContaining("revisions 10 to 20, 2026-01-01T00:00:10Z to 2026-01-01T00:00:20Z (f1 to d1)")
          .hasMessageContaining("revisions 35 to 35, 2026-01-01T00:00:35Z to 2026-01-01T00:00:35Z (f2)");
    }
    assertThatThrownBy(() -> Chain.reaching(List.of(), new Target.Latest())).hasMessageContaining("there is no full backup");
    assertThatThrownBy(() -> Chain.reaching(List.of(d1), new Target.Latest())).hasMessageContaining("there is no full backup");
  }

  /** Trees of backups with branches and damaged links, against a search that tries everything. */
  @Test
  void the_best_chain_is_found_in_any_tree() throws BackupException {
    Random random = new Random(11);
    int reached = 0;
    for (int round = 0; round < 300; round++) {
      List<PublishedBackup> all = tree(random);
      for (int i = 0; i < 10; i++) {
        long revision = random.nextInt(80);
        Optional<List<String>> expected = search(all, revision);
        try {
          Chain chain = Chain.reaching(all, new Target.AtRevision(revision));
          assertThat(Optional.of(chain.full().id())).isEqualTo(expected.map(List::getFirst));
          assertThat(chain.backups()).hasSameSizeAs(expected.get());
          assertThat(chain).isEqualTo(Chain.endingAt(all, chain.last().id()));
          reached++;
        } catch (BackupException e) {
          assertThat(expected).as(e.getMessage()).isEmpty();
        }
      }
    }
    assertThat(reached).isGreaterThan(500);
  }

  private static List<PublishedBackup> tree(Random random) {
    List<PublishedBackup> all = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      if (all.isEmpty() || random.nextInt(4) == 0) {
        // Distinct ends, so that one is the newest.
        all.add(full("f" + i, 12 * random.nextInt(6) + i));
      } else {
        PublishedBackup previous = all.get(random.nextInt(all.size()));
        PublishedBackup delta = delta("d" + i, previous);
        boolean broken = random.nextInt(6) == 0;
        all.add(broken ? changed(delta, s -> s, Backups.SOURCE, Optional.of(new Previous(previous.id(), Backups.hex(i)))) : delta);
      }
    }
    Collections.shuffle(all, random);
    return all;
  }

  private static Optional<List<String>> search(List<PublishedBackup> all, long revision) {
    List<String> best = null;
    long newest = -1;
    for (PublishedBackup end : all) {
      Chain chain;
      try {
        chain = Chain.endingAt(all, end.id());
      } catch (BackupException e) {
        continue;
      }
      Span first = chain.full().manifest().span();
      boolean covers = first.fromRevision() <= revision && revision <= end.manifest().span().toRevision();
      if (covers && (first.toIndex() > newest || first.toIndex() == newest && chain.backups().size() < best.size())) {
        best = ids(chain);
        newest = first.toIndex();
      }
    }
    return Optional.ofNullable(best);
  }
}
