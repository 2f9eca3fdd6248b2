package io.kvorum.raft;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Who takes part: voters decide, learners only follow. Immutable. Member ids are unsigned 64-bit and never 0.
 *
 * @param voters ids whose majority decides elections and commits
 * @param learners ids that receive the log but do not count
 */
public record Membership(SortedSet<Long> voters, SortedSet<Long> learners) {
  public static final Membership EMPTY = new Membership(new TreeSet<>(), new TreeSet<>());

  public Membership {
    voters = Collections.unmodifiableSortedSet(new TreeSet<>(voters));
    learners = Collections.unmodifiableSortedSet(new TreeSet<>(learners));
    if (voters.contains(0L) || learners.contains(0L)) {
      throw new IllegalArgumentException("member id 0 is reserved");
    }
    for (Long id : learners) {
      if (voters.contains(id)) {
        throw new IllegalArgumentException("member " + Long.toUnsignedString(id, 16) + " is both voter and learner");
      }
    }
  }

  /** Number of voters that must agree: floor(n / 2) + 1. */
  public int quorum() {
    return voters.size() / 2 + 1;
  }

  public boolean isVoter(long id) {
    return voters.contains(id);
  }

  public boolean isLearner(long id) {
    return learners.contains(id);
  }

  public boolean contains(long id) {
    return isVoter(id) || isLearner(id);
  }

  /** The membership after one change; a change that does not fit (unknown id, already so) leaves it as it is. */
  public Membership with(MembershipChange change) {
    TreeSet<Long> nextVoters = new TreeSet<>(voters);
    TreeSet<Long> nextLearners = new TreeSet<>(learners);
    long id = change.memberId();
    switch (change.kind()) {
      case ADD_VOTER -> {
        if (!nextLearners.contains(id)) {
          nextVoters.add(id);
        }
      }
      case ADD_LEARNER -> {
        if (!nextVoters.contains(id)) {
          nextLearners.add(id);
        }
      }
      case PROMOTE -> {
        if (nextLearners.remove(id)) {
          nextVoters.add(id);
        }
      }
      case REMOVE -> {
        nextVoters.remove(id);
        nextLearners.remove(id);
      }
      case UPDATE -> {
        // Only the context changes.
      }
    }
    return new Membership(nextVoters, nextLearners);
  }
}
