package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.segment.MergePolicy.Group;
import io.kvorum.mvcc.segment.MergePolicy.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MergePolicyTest {
  private static final long MIB = 1 << 20;

  private static List<Part> parts(long... bytes) {
    List<Part> parts = new ArrayList<>();
    for (long size : bytes) {
      parts.add(part(size, 0));
    }
    return parts;
  }

  private static Part part(long bytes, long deadBytes) {
    return new Part(bytes, deadBytes, 1, 2);
  }

  @Test
  void revisionsTooFarApartStayInFilesOfTheirOwn() {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      parts.add(new Part(1_000, 0, i < 8 ? 1 : 5_000_000_000L, i < 8 ? 9 : 5_000_000_009L));
    }
    assertThat(MergePolicy.plan(parts, false)).containsExactly(new Group(0, 8));
    parts.subList(1, 8).clear();
    assertThat(MergePolicy.plan(parts, false)).containsExactly(new Group(1, 9));
    parts.replaceAll(part -> new Part(part.bytes(), part.bytes(), part.firstMain(), part.lastMain()));
    assertThat(MergePolicy.plan(parts, true)).containsExactly(new Group(0, 1), new Group(1, 9));
  }

  @Test
  void nothingToDoIsNoGroup() {
    assertThat(MergePolicy.plan(List.of(), true)).isEmpty();
    assertThat(MergePolicy.plan(parts(64 * MIB, MIB, 10), true)).isEmpty();
  }

  @Test
  void eightOfOneTierBecomeOne() {
    assertThat(MergePolicy.plan(parts(64 * MIB, 9, 9, 9, 9, 9, 9, 9), false)).isEmpty();
    assertThat(MergePolicy.plan(parts(64 * MIB, 9, 9, 9, 9, 9, 9, 9, 9), false)).containsExactly(new Group(1, 9));
  }

  @Test
  void aSegmentWithFewDeadRecordsIsRewrittenOnlyWhenAllAreAskedFor() {
    List<Part> parts = List.of(part(64 * MIB, 10 * MIB), part(64 * MIB, 0), part(64 * MIB, 40 * MIB), part(MIB, 0));
    assertThat(MergePolicy.plan(parts, false)).containsExactly(new Group(2, 4));
    assertThat(MergePolicy.plan(parts, true)).containsExactly(new Group(0, 1), new Group(2, 4));
  }

  @Test
  void aMergeDoesNotExceedTheLargestFile() {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      parts.add(part(200 * MIB, 150 * MIB));
    }
    List<Group> groups = MergePolicy.plan(parts, false);
    assertThat(groups).hasSize(2);
    for (Group group : groups) {
      assertThat((group.to() - group.from()) * 50 * MIB).isLessThanOrEqualTo(MergePolicy.MERGED_BYTES_MAX);
    }
  }

  /** Seals of all sizes, a merge after each: few segments, and each byte is written a few times only. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void segmentsStayFewAndWritesStayBounded(long seed) {
    Random random = new Random(seed);
    List<Part> chain = new ArrayList<>();
    long appended = 0;
    long written = 0;
    int most = 0;
    while (appended < 6L << 30) {
      long bytes = random.nextInt(3) == 0 ? random.nextLong(64 * MIB) + 1 : random.nextInt(10) == 0 ? random.nextLong(4 * MIB) + 1 : 64 * MIB;
      chain.add(part(bytes, 0));
      appended += bytes;
      written += bytes;
      List<Group> groups = MergePolicy.plan(chain, false);
      for (Group group : groups) {
        List<Part> run = chain.subList(group.from(), group.to());
        long merged = run.stream().mapToLong(Part::bytes).sum();
        written += merged;
        run.clear();
        chain.add(group.from(), part(merged, 0));
      }
      most = Math.max(most, chain.size());
    }
    assertThat(most).isLessThanOrEqualTo(64);
    assertThat((double) written / appended).as("write amplification").isLessThan(4);
  }
}
