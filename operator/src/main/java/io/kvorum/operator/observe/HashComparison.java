package io.kvorum.operator.observe;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The content hashes of several members at one revision. Hashes can be compared only between members that have compacted up to the same revision.
 *
 * @param at when it began
 * @param revision that was hashed
 * @param hashes of the members that answered
 */
public record HashComparison(Instant at, long revision, List<MemberHash> hashes) {

  public HashComparison {
    hashes = List.copyOf(hashes);
  }

  /** What one member's data hashes to. */
  public record MemberHash(String member, long compactRevision, long hash) {}

  /** What follows from it. */
  public sealed interface Verdict {
    /** All that were asked hold the same. */
    record Same() implements Verdict {}

    /** Too few answers that can be compared. */
    record Undecided() implements Verdict {}

    /** @param text which members hold something else, for people */
    record Different(String text) implements Verdict {}
  }

  /** @param expected how many members should have answered for a verdict of equality */
  public Verdict verdict(int expected) {
    Map<Long, List<MemberHash>> comparable = hashes.stream().collect(groupingBy(MemberHash::compactRevision, TreeMap::new, toList()));
    for (List<MemberHash> group : comparable.values()) {
      Optional<String> difference = difference(group);
      if (difference.isPresent()) {
        return new Verdict.Different(difference.get());
      }
    }
    return comparable.size() == 1 && hashes.size() >= Math.max(2, expected) ? new Verdict.Same() : new Verdict.Undecided();
  }

  private Optional<String> difference(List<MemberHash> group) {
    Map<Long, List<String>> holders = new TreeMap<>();
    group.forEach(one -> holders.computeIfAbsent(one.hash(), hash -> new ArrayList<>()).add(one.member()));
    if (holders.size() == 1) {
      return Optional.empty();
    }
    Optional<List<String>> majority = holders.values().stream().filter(names -> names.size() > group.size() / 2).findFirst();
    List<String> odd = group.stream().map(MemberHash::member).filter(name -> majority.isEmpty() || !majority.get().contains(name)).sorted().toList();
    String where = " at revision " + revision;
    return Optional.of(
        majority.isPresent() ? String.join(", ", odd) + " differs from " + String.join(", ", majority.get()) + where : String.join(", ", odd) + " differ" + where);
  }
}
