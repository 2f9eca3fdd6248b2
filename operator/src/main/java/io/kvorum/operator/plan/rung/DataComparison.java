package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.HashComparison;
import io.kvorum.operator.observe.HashComparison.Verdict;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Compares the voters' data: their content hashes at one revision that all of them have applied.
 *
 * <p>Bounds: nothing while a voter is not well or anything else is under way; once an hour, and less often the larger the database is, so that hashing reads
 * no more than {@link #BYTES_PER_SECOND} of each member over time; every five minutes after a difference, until it is gone; the members one after the other.
 * What differs is reported and not touched: which of the members is right is for people to say when no alarm of the store's own does.
 */
public final class DataComparison implements Rung {
  /** The shortest time between two comparisons that found nothing. */
  public static final Duration EVERY = Duration.ofHours(1);

  /** After one that found a difference. */
  public static final Duration AFTER_DIFFERENCE = Duration.ofMinutes(5);

  /** What hashing may read of a member on average. */
  public static final long BYTES_PER_SECOND = 1 << 20;

  /** Takes over what the last comparison has found. */
  public static void found(Situation situation, Draft draft) {
    if (situation.listed() && situation.voterCount() < 2) {
      draft.memory().hashMismatch = "";
      return;
    }
    Optional<HashComparison> comparison = situation.observation().store().comparison();
    String before = draft.memory().hashMismatch;
    switch (comparison.map(one -> one.verdict(situation.voterCount())).orElse(new Verdict.Undecided())) {
      case Verdict.Undecided undecided -> { }
      case Verdict.Same same -> {
        draft.memory().hashMismatch = "";
        if (!before.isEmpty()) {
          draft.event(EventReason.HASHES_AGREE, "", "the members hold the same data at revision " + comparison.orElseThrow().revision());
        }
      }
      case Verdict.Different different -> {
        draft.memory().hashMismatch = different.text();
        if (before.isEmpty()) {
          draft.event(EventReason.HASH_MISMATCH, "", different.text());
        }
      }
    }
  }

  @Override
  public boolean decide(Situation situation, Draft draft) {
    List<MemberView> voters = situation.voters();
    boolean well = voters.size() > 1 && voters.stream().allMatch(voter -> situation.healthy(voter) && situation.caughtUp(voter));
    if (!well || situation.at().isBefore(due(situation, draft))) {
      return false;
    }
    long revision = voters.stream().flatMap(voter -> voter.answer().stream()).mapToLong(MemberAnswer::revision).min().orElse(0);
    draft.memory().lastComparison = Api.time(situation.at());
    draft.act(new Action.CompareData(voters.stream().map(MemberView::name).toList(), revision));
    return true;
  }

  private static Instant due(Situation situation, Draft draft) {
    Instant created = Instant.parse(situation.cluster().getMetadata().getCreationTimestamp());
    Instant last = Api.time(draft.memory().lastComparison).orElse(created);
    long largest = situation.voters().stream().flatMap(voter -> voter.answer().stream()).mapToLong(MemberAnswer::databaseBytes).max().orElse(0);
    Duration bySize = Duration.ofSeconds(largest / BYTES_PER_SECOND);
    Duration quiet = bySize.compareTo(EVERY) > 0 ? bySize : EVERY;
    return last.plus(draft.memory().hashMismatch.isEmpty() ? quiet : AFTER_DIFFERENCE);
  }
}
