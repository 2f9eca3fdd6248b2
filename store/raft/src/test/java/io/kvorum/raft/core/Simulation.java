package io.kvorum.raft.core;

import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * One seeded run: members, disks, state machines, a network and clients under one scheduler in virtual time (microseconds). Faults come at
 * rates that the seed draws: messages are lost, repeated, late; links break one way or both; members pause, crash (losing what was not
 * synced, or tearing it), restart; all lose power at once; disks and state machines lag; members are added, promoted and removed;
 * leadership moves; logs are cut. At the end everything heals, and a proposal must commit everywhere within {@link #HEAL_TICKS}.
 */
final class Simulation {
  static final int HEAL_TICKS = 400;
  private static final long TICK = 10_000;

  /** How often something breaks, in microseconds between faults at most, and how much of it is a membership change. */
  private enum Weather {
    FAIR(300_000, 0.05),
    CHURN(60_000, 0.6),
    ROUGH(50_000, 0.05),
    STORM(15_000, 0);

    final int faultsApart;
    final double changes;

    Weather(int faultsApart, double changes) {
      this.faultsApart = faultsApart;
      this.changes = changes;
    }
  }

  private record Event(long at, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  private final SplittableRandom random;
  private final Rules rules;
  final Checker checker = new Checker();
  private final PriorityQueue<Event> queue = new PriorityQueue<>();
  private final List<SimMember> members = new ArrayList<>();
  private final SimNetwork network;
  private final SimChurn churn;
  private final Membership initial;
  private final long maxEvents;
  private final Weather weather;
  private final double slowDisk;
  private long now;
  private long order;
  private long events;
  private long proposals;
  private long contexts;
  private long nextId;
  private boolean healing;
  long healTicks;

  Simulation(long seed, long maxEvents, Rules rules) {
    this.random = new SplittableRandom(seed);
    this.maxEvents = maxEvents;
    this.rules = rules;
    this.weather = Weather.values()[random.nextInt(Weather.values().length)];
    this.slowDisk = random.nextInt(3) == 0 ? 0.3 : 0.02;
    this.network = new SimNetwork(random);
    this.churn = new SimChurn(this, random, members);
    TreeSet<Long> voters = new TreeSet<>();
    int size = weather == Weather.STORM ? 3 + random.nextInt(3) : 1 + random.nextInt(5);
    for (nextId = 1; nextId <= size; nextId++) {
      voters.add(nextId);
    }
    this.initial = new Membership(voters, new TreeSet<>());
    voters.forEach(this::create);
  }

  long events() {
    return events;
  }

  long reads() {
    return members.stream().mapToLong(m -> m.readsAnswered).sum();
  }

  /** Runs to the end; throws {@link Checker.Violation} when something that must hold does not. */
  void run() {
    after(1_000, this::client);
    after(random.nextInt(200_000), this::fault);
    while (events < maxEvents) {
      next();
    }
    heal();
  }

  private void next() {
    Event event = queue.remove();
    now = event.at();
    events++;
    event.action().run();
  }

  private void after(long delay, Runnable action) {
    queue.add(new Event(now + delay, order++, action));
  }

  long now() {
    return now;
  }

  SimMember createNext() {
    return create(nextId++);
  }

  private SimMember create(long id) {
    int window = 1 + random.nextInt(8);
    RaftConfig config = new RaftConfig(id, 10, 1, 64 + random.nextInt(300), 2_000, window, 4_000, 1_000);
    SimMember member = new SimMember(config, initial, random::nextInt, rules, this::send, checker);
    member.createdAt = now;
    members.add(member);
    after(random.nextInt((int) TICK), () -> tick(member, member.incarnation));
    return member;
  }

  /** Whatever happens to a member: it is put off while it pauses, void after a crash, and followed by the member's answer and all checks. */
  void at(SimMember member, long incarnation, Runnable action) {
    if (member.incarnation != incarnation || !member.isUp()) {
      return;
    }
    if (member.pausedUntil > now) {
      after(member.pausedUntil - now + random.nextInt(50), () -> at(member, incarnation, action));
      return;
    }
    action.run();
    settle(member);
  }

  private void settle(SimMember member) {
    member.pump();
    checker.observes(member);
    long incarnation = member.incarnation;
    if (!member.writes.isEmpty() && !member.syncScheduled) {
      member.syncScheduled = true;
      after(diskDelay(), () -> at(member, incarnation, () -> sync(member)));
    }
    if (!member.toApply.isEmpty() && !member.applyScheduled) {
      member.applyScheduled = true;
      after(diskDelay() / 2, () -> at(member, incarnation, () -> apply(member)));
    }
  }

  private long diskDelay() {
    return !healing && random.nextDouble() < slowDisk ? random.nextInt(100_000) : random.nextInt(2_000);
  }

  private void sync(SimMember member) {
    member.syncScheduled = false;
    int group = 1 + random.nextInt(3);
    for (int i = 0; i < group; i++) {
      boolean installs = !member.writes.isEmpty() && member.writes.peek().install() != null;
      member.sync();
      if (installs) {
        network.installed(member.id).forEach(sender -> reportSnapshot(sender, member.id, true));
      }
    }
  }

  private void apply(SimMember member) {
    member.applyScheduled = false;
    member.apply(1 + random.nextInt(4));
  }

  private void tick(SimMember member, long incarnation) {
    if (member.incarnation != incarnation) {
      return;
    }
    after(TICK - 500 + random.nextInt(1_000), () -> tick(member, incarnation));
    if (member.isUp() && member.pausedUntil <= now) {
      member.core.tick();
      settle(member);
    }
  }

  private void send(Message m) {
    long delay = network.delay(m, healing);
    if (delay < 0) {
      SimMember sender = member(m.from());
      if (m.type() == Message.Type.SNAPSHOT) {
        reportSnapshot(m.from(), m.to(), false);
      } else if (random.nextInt(4) == 0) {
        after(random.nextInt(5_000), () -> at(sender, sender.incarnation, () -> sender.core.reportUnreachable(m.to())));
      }
      return;
    }
    after(delay, () -> deliver(m));
    if (network.repeats(healing) && m.type() != Message.Type.SNAPSHOT) {
      after(network.delay(m, healing) + 1_000 + random.nextInt(40_000), () -> deliver(m));
    }
  }

  private void deliver(Message m) {
    SimMember to = member(m.to());
    if (to == null || !to.isUp() || network.isCut(m.from(), m.to())) {
      if (m.type() == Message.Type.SNAPSHOT) {
        reportSnapshot(m.from(), m.to(), false);
      }
      return;
    }
    if (to.pausedUntil > now) {
      after(to.pausedUntil - now + random.nextInt(50), () -> deliver(m));
      return;
    }
    at(to, to.incarnation, () -> step(to, m));
  }

  private void step(SimMember to, Message m) {
    to.core.step(m);
    if (m.type() == Message.Type.SNAPSHOT) {
      if (to.core.parts.log.isInstalling()) {
        network.installing(m.to(), m.from());
      } else {
        reportSnapshot(m.from(), m.to(), true);
      }
    }
  }

  private void reportSnapshot(long sender, long receiver, boolean done) {
    SimMember member = member(sender);
    after(random.nextInt(3_000), () -> at(member, member.incarnation, () -> member.core.reportSnapshot(receiver, done)));
  }

  private SimMember member(long id) {
    return members.get((int) id - 1);
  }

  private SimMember anyUp() {
    SimMember member = members.get(random.nextInt(members.size()));
    return member.isUp() ? member : null;
  }

  /** Half of the time the leader of the highest term, otherwise anybody. */
  private SimMember target() {
    return random.nextBoolean() ? leader() : anyUp();
  }

  private SimMember leader() {
    SimMember best = null;
    for (SimMember m : members) {
      if (m.isUp() && m.core.parts.roles.isLeader() && (best == null || m.core.parts.roles.term() > best.core.parts.roles.term())) {
        best = m;
      }
    }
    return best;
  }

  private void client() {
    after(500 + random.nextInt(6_000), this::client);
    SimMember member = target();
    if (member == null || healing) {
      return;
    }
    if (random.nextInt(3) == 0) {
      at(member, member.incarnation, () -> member.ask(++contexts));
    } else {
      at(member, member.incarnation, () -> propose(member, 1 + random.nextInt(3)));
    }
  }

  private void propose(SimMember member, int count) {
    List<byte[]> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(ByteBuffer.allocate(8).putLong(++proposals).array());
    }
    member.core.propose(requests, 0);
  }

  private void fault() {
    after(500 + random.nextInt(weather.faultsApart), this::fault);
    if (healing) {
      return;
    }
    if (random.nextDouble() < weather.changes) {
      churn.change(target());
      return;
    }
    SimMember member = members.get(random.nextInt(members.size()));
    switch (random.nextInt(12)) {
      case 0 -> crash(member);
      case 1 -> crash(leader());
      case 2, 3 -> members.stream().filter(m -> !m.isUp() && !m.retired && random.nextBoolean()).forEach(this::restart);
      case 4 -> network.cut(members, random);
      case 5, 6 -> network.heal();
      case 7 -> member.pausedUntil = now + random.nextInt(400_000);
      case 8 -> powerLoss();
      case 9 -> transfer();
      case 10 -> members.stream().filter(m -> m.isUp() && random.nextBoolean()).forEach(this::checkpoint);
      case 11 -> connectionLost(member);
      default -> throw new IllegalStateException();
    }
  }

  void crash(SimMember member) {
    if (member != null && member.isUp()) {
      member.crash(random.nextInt(4) - 1);
      network.installed(member.id).forEach(sender -> reportSnapshot(sender, member.id, false));
    }
  }

  private void powerLoss() {
    if (random.nextBoolean()) {
      members.forEach(this::crash);
      members.stream().filter(m -> !m.retired).forEach(this::restart);
    }
  }

  private void restart(SimMember member) {
    member.pausedUntil = 0;
    member.restart();
    long incarnation = member.incarnation;
    after(random.nextInt((int) TICK), () -> tick(member, incarnation));
    settle(member);
  }

  private void transfer() {
    SimMember from = target();
    if (from != null) {
      at(from, from.incarnation, () -> from.core.transferLeadership(random.nextInt(members.size() + 1)));
    }
  }

  private void checkpoint(SimMember member) {
    if (member.applied > member.checkpoint.index() && member.pausedUntil <= now && !member.core.parts.log.isInstalling()) {
      member.checkpoint(random.nextInt(6));
    }
  }

  private void connectionLost(SimMember member) {
    if (member.isUp()) {
      at(member, member.incarnation, () -> member.core.leaderLost(member.core.parts.roles.leader()));
    }
  }

  private void heal() {
    healing = true;
    network.heal();
    for (SimMember m : members) {
      m.pausedUntil = 0;
      if (!m.isUp() && !m.retired) {
        restart(m);
      }
    }
    long begin = now;
    long limit = now + HEAL_TICKS * TICK;
    long proposed = now;
    while (!converged()) {
      Checker.require(now < limit, "liveness: not converged " + HEAL_TICKS + " ticks after all faults healed: " + picture());
      next();
      SimMember leader = leader();
      if (leader != null && now - proposed > 5 * TICK) {
        proposed = now;
        at(leader, leader.incarnation, () -> propose(leader, 1));
      }
    }
    healTicks = (now - begin) / TICK;
  }

  private String picture() {
    StringBuilder text = new StringBuilder("committed " + checker.maxCommitted());
    for (SimMember m : members) {
      text.append("\n  ").append(m.id).append(m.retired ? " retired" : m.isUp() ? " " + m.core.status() : " down");
      text.append(m.isUp() ? " log " + m.view.firstIndex() + ".." + m.view.lastIndex() + " checkpoint " + m.checkpoint.index() : "");
    }
    return text.toString();
  }

  /** Somebody leads, an entry of that term is committed, and all members have applied everything. */
  private boolean converged() {
    SimMember leader = leader();
    if (leader == null || leader.applied != checker.maxCommitted() || !leader.core.parts.replication.committedInTerm()) {
      return false;
    }
    Membership membership = leader.core.status().membership();
    for (SimMember m : members) {
      if (membership.contains(m.id) && (!m.isUp() || m.applied != leader.applied)) {
        return false;
      }
    }
    return true;
  }
}
