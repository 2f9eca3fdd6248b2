package io.kvorum.operator.status;

import io.kvorum.operator.observe.StoreState.ClockReading;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Members whose wall clocks are apart. Each was read against the operator's own clock, which so drops out of the comparison. */
final class ClockSkew {
  /** As etcd warns of. */
  private static final long LIMIT_MILLIS = 1000;

  private ClockSkew() {}

  private record Read(String member, ClockReading clock) {}

  /** Words on it; empty while no two clocks are surely further apart than a second. */
  static Optional<String> of(Situation situation) {
    List<Read> read =
        situation.members().stream().flatMap(member -> read(member).stream()).sorted(Comparator.comparing(one -> one.clock().aheadMillis())).toList();
    if (read.size() < 2) {
      return Optional.empty();
    }
    Read behind = read.getFirst();
    Read ahead = read.getLast();
    long apart = ahead.clock().aheadMillis() - behind.clock().aheadMillis();
    long surely = apart - ahead.clock().uncertaintyMillis() - behind.clock().uncertaintyMillis();
    return surely > LIMIT_MILLIS
        ? Optional.of("the clock of " + ahead.member() + " is about " + coarse(apart) + " s ahead of that of " + behind.member())
        : Optional.empty();
  }

  private static Optional<Read> read(MemberView member) {
    return member.answer().flatMap(answer -> answer.clock()).map(clock -> new Read(member.name(), clock));
  }

  /** With one significant digit, so that the text is not another one in each pass. */
  private static long coarse(long millis) {
    long unit = 1;
    long seconds = Math.max(1, millis / 1000);
    while (seconds / unit >= 10) {
      unit *= 10;
    }
    return seconds / unit * unit;
  }
}
