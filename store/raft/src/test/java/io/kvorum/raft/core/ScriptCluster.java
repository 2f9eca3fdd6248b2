package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftStatus;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Members that a script moves step by step, with a network that keeps every message until the script delivers or drops it. Jitter is 0:
 * elections come after exactly 10 ticks.
 */
final class ScriptCluster {
  private final Rules rules;
  private final Map<Long, Node> nodes = new TreeMap<>();
  private final ArrayDeque<Message> wire = new ArrayDeque<>();
  private final TreeSet<Long> cutOff = new TreeSet<>();
  private final List<String> out = new ArrayList<>();
  private boolean trace = true;

  ScriptCluster(Rules rules) {
    this.rules = rules;
  }

  final class Node extends TestMember {
    boolean diskHeld;
    boolean applyHeld;
    final List<Entry> appliedEntries = new ArrayList<>();

    Node(RaftConfig config, Membership membership) {
      super(config, membership, n -> 0, rules, wire::add);
    }

    @Override
    void onApply(Entry entry) {
      appliedEntries.add(entry);
      say(id + " applies " + show(entry));
    }

    @Override
    void onInstall(SnapshotMeta meta) {
      say(id + " installs snapshot " + meta.index() + "/" + meta.term() + " " + show(meta.membership()));
    }

    @Override
    void onRead(Ready.ReadState state) {
      say(id + " read " + state.context() + (state.index() < 0 ? " lost" : " at index " + state.index()));
    }
  }

  List<String> takeOutput() {
    List<String> taken = List.copyOf(out);
    out.clear();
    return taken;
  }

  private void say(String line) {
    if (trace) {
      out.add(line);
    }
  }

  void always(String line) {
    out.add(line);
  }

  void trace(boolean on) {
    trace = on;
  }

  void add(long id, Membership membership, int maxInflightMessages, int maxMessageBytes) {
    RaftConfig config = new RaftConfig(id, 10, 1, maxMessageBytes, 1 << 20, maxInflightMessages, 400, 1 << 20);
    nodes.put(id, new Node(config, membership));
  }

  Node node(long id) {
    Node node = nodes.get(id);
    if (node == null || !node.isUp()) {
      throw new IllegalArgumentException("no running member " + id);
    }
    return node;
  }

  /**
   * @param torn entries of the write under way that reached the disk, -1 for none and no hard state either
   */
  void crash(long id, int torn) {
    node(id).crash(torn);
    wire.removeIf(m -> m.to() == id);
  }

  void restart(long id) {
    nodes.get(id).start();
  }

  /** One election with the messages it takes and no others; the new leader's first entry reaches nobody. */
  void elect(long id, Collection<Long> voters) {
    for (int round = 0; round < 20 && !node(id).core.parts.roles.isLeader(); round++) {
      while (node(id).core.parts.roles.role() == Role.FOLLOWER) {
        node(id).core.tick();
      }
      run(id);
      voters.forEach(voter -> move(id, voter, true));
      wire.clear();
      voters.forEach(this::run);
      voters.forEach(voter -> move(voter, id, true));
      wire.clear();
    }
    run(id);
    wire.clear();
  }

  /** Whether two members applied different entries at one index. */
  boolean diverged() {
    Map<Long, Entry> seen = new TreeMap<>();
    for (Node node : nodes.values()) {
      for (Entry entry : node.appliedEntries) {
        Entry other = seen.putIfAbsent(entry.index(), entry);
        if (other != null && other.term() != entry.term()) {
          return true;
        }
      }
    }
    return false;
  }

  void force(long id) {
    Node node = nodes.get(id);
    Membership alone = new Membership(new TreeSet<>(List.of(id)), new TreeSet<>());
    node.checkpoint = new SnapshotMeta(node.checkpoint.index(), node.checkpoint.term(), alone);
    node.start();
  }

  void isolate(Collection<Long> ids) {
    cutOff.addAll(ids);
  }

  void heal() {
    cutOff.clear();
  }

  /** Ends disk writes and applies of one member, unless held, and collects what it wants to send. */
  boolean run(long id) {
    Node node = node(id);
    boolean any = false;
    boolean more;
    do {
      more = node.pump();
      if (!node.diskHeld) {
        more |= node.sync();
      }
      if (!node.applyHeld) {
        more |= node.apply(Integer.MAX_VALUE);
      }
      any |= more;
    } while (more);
    return any;
  }

  /** Delivers, or drops, waiting messages that fit; 0 stands for any member. */
  int move(long from, long to, boolean deliver) {
    int moved = 0;
    for (int i = wire.size(); i > 0; i--) {
      Message m = wire.remove();
      if ((from != 0 && m.from() != from) || (to != 0 && m.to() != to)) {
        wire.add(m);
        continue;
      }
      moved++;
      boolean reachable = !cutOff.contains(m.from()) && !cutOff.contains(m.to()) && nodes.containsKey(m.to()) && nodes.get(m.to()).isUp();
      say(show(m) + (deliver && reachable ? "" : "  (lost)"));
      if (deliver && reachable) {
        nodes.get(m.to()).core.step(m);
      }
    }
    return moved;
  }

  /** Runs all and delivers all until nothing happens any more. */
  void stabilize() {
    for (int round = 0; round < 200; round++) {
      boolean any = false;
      for (Node node : nodes.values()) {
        any |= node.isUp() && run(node.id);
      }
      any |= move(0, 0, true) > 0;
      if (!any) {
        return;
      }
    }
    throw new IllegalStateException("still busy after 200 rounds");
  }

  void status() {
    for (Node node : nodes.values()) {
      if (!node.isUp()) {
        always(node.id + " down");
        continue;
      }
      RaftStatus s = node.core.status();
      String leader = s.leader() == 0 ? "none" : Long.toString(s.leader());
      String line = s.id() + " " + s.role() + " term=" + s.term() + " leader=" + leader + " last=" + s.lastIndex() + " commit=" + s.commit();
      line += " applied=" + s.applied() + " " + show(s.membership()) + (s.transferee() == 0 ? "" : " transferee=" + s.transferee());
      always(line);
      new TreeMap<>(s.followers())
          .forEach((id, p) -> always("  " + id + " match=" + p.match() + marks(p)));
    }
  }

  private static String marks(RaftStatus.FollowerProgress p) {
    return (p.recentlyActive() ? " active" : "") + (p.snapshotting() ? " snapshot" : "");
  }

  void log(long id) {
    MemoryLog log = node(id).view;
    List<Entry> held = log.entries(log.firstIndex(), log.lastIndex() + 1, Long.MAX_VALUE);
    String entries = held.stream().map(ScriptCluster::show).collect(Collectors.joining(" "));
    always(id + " log from " + log.firstIndex() + ": " + entries);
  }

  static String show(Membership m) {
    return "voters=" + m.voters() + (m.learners().isEmpty() ? "" : " learners=" + m.learners());
  }

  static String show(Entry entry) {
    String at = entry.index() + "/" + entry.term();
    if (entry.type() == EntryType.MEMBERSHIP) {
      MembershipChange change = MembershipChange.decode(entry.data());
      return at + ":" + change.kind() + "-" + change.memberId();
    }
    return at + (entry.data().length == 0 ? "" : ":" + new String(entry.data(), java.nio.charset.StandardCharsets.UTF_8));
  }

  static String show(Message m) {
    String text = m.from() + "->" + m.to() + " " + m.type() + (m.term() == 0 ? "" : " term=" + m.term());
    text +=
        switch (m.type()) {
          case APPEND -> " prev=" + m.index() + "/" + m.logTerm() + " commit=" + m.commit();
          case APPEND_RESPONSE -> m.reject() ? " rejected=" + m.index() + " hint=" + m.rejectHint() + "/" + m.logTerm() : " match=" + m.index();
          case HEARTBEAT, HEARTBEAT_RESPONSE -> " commit=" + m.commit() + (m.context() == 0 ? "" : " round=" + m.context());
          case PRE_VOTE, VOTE -> " last=" + m.index() + "/" + m.logTerm() + (m.context() == 1 ? " transfer" : "");
          case PRE_VOTE_RESPONSE, VOTE_RESPONSE -> m.reject() ? " no" : " yes";
          case SNAPSHOT -> " " + m.snapshot().index() + "/" + m.snapshot().term() + " " + show(m.snapshot().membership());
          case PROPOSE, TIMEOUT_NOW -> "";
          case READ_INDEX -> " context=" + m.context();
          case READ_INDEX_RESPONSE -> " context=" + m.context() + (m.reject() ? " lost" : " index=" + m.index());
          case TRANSFER_LEADER -> " to=" + m.context();
        };
    return m.entries().isEmpty() ? text : text + " " + m.entries().stream().map(ScriptCluster::show).toList();
  }
}
