package io.kvorum.raft.core;

import io.kvorum.raft.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Links that lose, repeat, delay and break; snapshots that are on their way. */
final class SimNetwork {
  private final SplittableRandom random;
  private final double loss;
  private final double repeat;
  private final double late;
  private final Set<Long> cuts = new HashSet<>();
  private final Map<Long, List<Long>> installing = new HashMap<>();

  SimNetwork(SplittableRandom random) {
    this.random = random;
    this.loss = random.nextInt(3) == 0 ? 0.1 * random.nextDouble() : 0;
    this.repeat = random.nextInt(3) == 0 ? 0.1 * random.nextDouble() : 0;
    this.late = random.nextInt(3) == 0 ? 0.1 * random.nextDouble() : 0.005;
  }

  /** Microseconds until the message arrives, -1 when it is lost. */
  long delay(Message m, boolean healing) {
    if (healing) {
      return random.nextInt(2_000);
    }
    if (isCut(m.from(), m.to()) || random.nextDouble() < loss) {
      return -1;
    }
    return random.nextDouble() < late ? random.nextInt(200_000) : random.nextInt(2_000);
  }

  boolean repeats(boolean healing) {
    return !healing && random.nextDouble() < repeat;
  }

  boolean isCut(long from, long to) {
    return !cuts.isEmpty() && cuts.contains(from << 32 | to);
  }

  void heal() {
    cuts.clear();
  }

  /** Splits the members in two groups, or breaks single links one way. */
  void cut(List<SimMember> members, SplittableRandom random) {
    boolean oneWay = random.nextInt(4) == 0;
    Set<Long> side = new HashSet<>();
    members.stream().filter(m -> random.nextBoolean()).forEach(m -> side.add(m.id));
    for (SimMember a : members) {
      for (SimMember b : members) {
        boolean across = side.contains(a.id) && !side.contains(b.id);
        if (across && (!oneWay || random.nextBoolean())) {
          cuts.add(a.id << 32 | b.id);
          if (!oneWay) {
            cuts.add(b.id << 32 | a.id);
          }
        }
      }
    }
  }

  void installing(long receiver, long sender) {
    installing.computeIfAbsent(receiver, r -> new ArrayList<>()).add(sender);
  }

  /** Who waits to hear how the installation ended. */
  List<Long> installed(long receiver) {
    List<Long> senders = installing.remove(receiver);
    return senders == null ? List.of() : senders;
  }
}
