package io.kvorum.server.backup;

import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.cluster.MemberIds;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The members that can be read, the best first: followers by how far they are, then the leader, then learners. Members cut their segments at different places, so the member that the last full
 * backup was read from, of which the repository has most, comes first among the followers that lag little.
 */
final class Sources {
  private static final long LITTLE_ENTRIES = 1_000;

  private final SourceOptions.Address address;
  private final PrintStream err;
  private final Set<String> failed = new HashSet<>();

  Sources(SourceOptions.Address address, PrintStream err) {
    this.address = address;
    this.err = err;
  }

  /** One that answered. */
  private record Candidate(Source source, DescribeResponse facts) {}

  /**
   * Followers, leader, learners; within them the one that was read before when it lags little, then the one that has applied most.
   *
   * @param newest the highest index that any of them has applied
   * @param before id of the member that was read before, hexadecimal; empty for none
   */
  static Comparator<DescribeResponse> bestFirst(long newest, String before) {
    return Comparator.comparing(DescribeResponse::getIsLearner)
        .thenComparing(Sources::leads)
        .thenComparing(facts -> !(MemberIds.hex(facts.getHeader().getMemberId()).equals(before) && newest - facts.getAppliedIndex() <= LITTLE_ENTRIES))
        .thenComparing(DescribeResponse::getAppliedIndex, Comparator.reverseOrder());
  }

  private static boolean leads(DescribeResponse facts) {
    return facts.getLeader() == facts.getHeader().getMemberId();
  }

  /**
   * Asks all members that have not failed yet, and takes the best. When all have failed, all count again.
   *
   * @param before id of the member that was read before, hexadecimal; empty for none
   * @throws Source.LostException when none answers
   * @throws BackupException when one refuses the caller, as the others would
   */
  Source best(String before) throws IOException {
    if (failed.containsAll(address.endpoints())) {
      failed.clear();
    }
    List<Candidate> candidates = new ArrayList<>();
    List<String> reasons = new ArrayList<>();
    try {
      for (String endpoint : address.endpoints()) {
        if (!failed.contains(endpoint)) {
          ask(endpoint, candidates, reasons);
        }
      }
      long newest = candidates.stream().mapToLong(candidate -> candidate.facts.getAppliedIndex()).max().orElse(0);
      candidates.sort(Comparator.comparing(Candidate::facts, bestFirst(newest, before)));
      if (candidates.isEmpty()) {
        throw new Source.LostException(String.join("; ", reasons));
      }
      Candidate best = candidates.removeFirst();
      err.println("backup: reading " + best.source.endpoint + (leads(best.facts) ? ", the leader" : best.facts.getIsLearner() ? ", a learner" : ", a follower"));
      return best.source;
    } finally {
      candidates.forEach(candidate -> candidate.source.close());
    }
  }

  private void ask(String endpoint, List<Candidate> candidates, List<String> reasons) throws IOException {
    Source source = null;
    try {
      source = Source.connect(address, endpoint);
      candidates.add(new Candidate(source, source.describe()));
      source = null;
    } catch (Source.LostException lost) {
      failed.add(endpoint);
      reasons.add(lost.getMessage());
    } finally {
      if (source != null) {
        source.close();
      }
    }
  }

  /** It failed; the others come first from now on. */
  void failed(Source source) {
    failed.add(source.endpoint);
  }

  /** Whether there is one that has not failed. */
  boolean others() {
    return !failed.containsAll(address.endpoints());
  }
}
