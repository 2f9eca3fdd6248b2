package io.kvorum.mvcc.segment;

import java.util.ArrayList;
import java.util.List;

/**
 * Which adjacent sealed segments to write anew as one. Pure.
 *
 * <p>Reclaiming: segments with enough dead bytes, together with neighbours that are small beside them. Merging, if there is nothing to reclaim: tiers of factor
 * {@link #FACTOR}; a run of segments of one tier or below that holds {@link #FACTOR} of exactly that tier becomes one of the next, so that a record is written about
 * once per tier that it passes through, at most four times from the 64 MiB class up. Beyond {@link #SEGMENTS_MAX} the cheapest neighbours are merged, whatever
 * their tiers.
 */
final class MergePolicy {
  static final int FACTOR = 8;
  static final int SEGMENTS_MAX = 56;
  static final long MERGED_BYTES_MAX = 1L << 30;

  private static final long TIER_BYTES = 64 << 10;
  private static final double DEAD_SHARE = 0.4;

  private MergePolicy() {}

  /**
   * A segment as the policy sees it.
   *
   * @param bytes of its records
   * @param deadBytes of those that nobody needs
   * @param firstMain first main revision
   * @param lastMain last main revision
   */
  record Part(long bytes, long deadBytes, long firstMain, long lastMain) {
    long liveBytes() {
      return bytes - deadBytes;
    }
  }

  /** A file's table counts main revisions from its first one on, in an int. */
  private static boolean spans(Part first, Part last) {
    return last.lastMain() - first.firstMain() < ActiveTable.SPAN_MAX;
  }

  /** Places {@code [from, to)} in the chain. */
  record Group(int from, int to) {}

  /**
   * @param parts all sealed segments, oldest first
   * @param all whether anything dead at all is reason enough
   * @return disjoint groups, oldest first
   */
  static List<Group> plan(List<Part> parts, boolean all) {
    List<Group> reclaim = reclaim(parts, all);
    return reclaim.isEmpty() ? merge(parts) : reclaim;
  }

  private static List<Group> reclaim(List<Part> parts, boolean all) {
    List<Group> groups = new ArrayList<>();
    int at = 0;
    while (at < parts.size()) {
      if (!wanted(parts.get(at), all)) {
        at++;
        continue;
      }
      int from = at;
      long live = parts.get(at++).liveBytes();
      while (at < parts.size() && live + parts.get(at).liveBytes() <= MERGED_BYTES_MAX) {
        boolean small = parts.get(at).liveBytes() <= live / FACTOR;
        if (!small && !wanted(parts.get(at), all) || !spans(parts.get(from), parts.get(at))) {
          break;
        }
        live += parts.get(at++).liveBytes();
      }
      groups.add(new Group(from, at));
    }
    return groups;
  }

  private static boolean wanted(Part part, boolean all) {
    return part.deadBytes() > 0 && (all || part.deadBytes() >= part.bytes() * DEAD_SHARE);
  }

  private static List<Group> merge(List<Part> parts) {
    int tiers = tier(MERGED_BYTES_MAX);
    for (int tier = 0; tier < tiers; tier++) {
      for (int from = 0; from < parts.size(); from++) {
        int to = endOfRun(parts, from, tier);
        int exact = tier;
        if (parts.subList(from, to).stream().filter(part -> tier(part.bytes()) == exact).count() >= FACTOR) {
          return List.of(new Group(from, to));
        }
        from = Math.max(from, to - 1);
      }
    }
    return parts.size() > SEGMENTS_MAX ? cheapest(parts) : List.of();
  }

  private static int endOfRun(List<Part> parts, int from, int tier) {
    long bytes = 0;
    int to = from;
    while (to < parts.size()
        && tier(parts.get(to).bytes()) <= tier
        && bytes + parts.get(to).bytes() <= MERGED_BYTES_MAX
        && spans(parts.get(from), parts.get(to))) {
      bytes += parts.get(to++).bytes();
    }
    return to;
  }

  private static List<Group> cheapest(List<Part> parts) {
    int best = -1;
    long bestBytes = MERGED_BYTES_MAX;
    for (int from = 0; from + FACTOR <= parts.size(); from++) {
      long bytes = parts.subList(from, from + FACTOR).stream().mapToLong(Part::bytes).sum();
      if (bytes < bestBytes && spans(parts.get(from), parts.get(from + FACTOR - 1))) {
        best = from;
        bestBytes = bytes;
      }
    }
    return best < 0 ? List.of() : List.of(new Group(best, best + FACTOR));
  }

  static int tier(long bytes) {
    int tier = 0;
    for (long limit = TIER_BYTES; limit < bytes; limit *= FACTOR) {
      tier++;
    }
    return tier;
  }
}
