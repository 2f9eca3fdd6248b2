package io.kvorum.raft.core;

import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * Runs a script: lines that begin with {@code "> "} are commands, what follows up to an empty line or the next command is what they answer,
 * {@code #} begins a remark. The result is the script with the answers that were really given.
 *
 * <pre>
 * cluster N [learner ID] [window M] [message BYTES]
 * join ID                            a member that knows the first membership only
 * tick ID [N]      timeout ID        time passes; an election timeout passes
 * propose ID TEXT...                 change ID KIND MEMBER        read ID CONTEXT        transfer ID TARGET
 * lost ID LEADER                     the leader's connection closed
 * run ID           stabilize         carry out what a member wants; and deliver everything until all is quiet
 * deliver FROM TO  drop FROM TO      messages on the wire, * for any
 * isolate ID...    heal              crash ID [TORN]   restart ID   reboot ID...
 * elect ID VOTER...                  the messages of an election, with these voters, and no others
 * hold-disk ID     free-disk ID      hold-apply ID   free-apply ID
 * force ID                           a stopped member starts again as the only one
 * checkpoint ID [KEEP]               unreachable ID MEMBER      snapshot-done ID MEMBER yes|no
 * status           log ID            quiet COMMAND              the command without its trace
 * </pre>
 */
final class Script {
  private final ScriptCluster cluster;
  private Membership initial = Membership.EMPTY;
  private int window = 16;
  private int messageBytes = 200;

  Script(Rules rules) {
    this.cluster = new ScriptCluster(rules);
  }

  boolean diverged() {
    return cluster.diverged();
  }

  List<String> run(List<String> lines) {
    List<String> result = new ArrayList<>();
    boolean inAnswer = false;
    for (String line : lines) {
      if (line.startsWith("> ")) {
        result.add(line);
        execute(line.substring(2).trim());
        result.addAll(cluster.takeOutput());
        inAnswer = true;
      } else if (line.isBlank() || line.startsWith("#")) {
        result.add(line);
        inAnswer = false;
      } else if (!inAnswer) {
        throw new IllegalArgumentException("neither command, answer nor remark: " + line);
      }
    }
    return result;
  }

  private void execute(String command) {
    if (command.startsWith("quiet ")) {
      cluster.trace(false);
      execute(command.substring(6));
      cluster.trace(true);
      return;
    }
    String[] words = command.split(" +");
    String[] args = Arrays.copyOfRange(words, 1, words.length);
    switch (words[0]) {
      case "cluster" -> build(args);
      case "join" -> cluster.add(id(args[0]), initial, window, messageBytes);
      case "stabilize" -> cluster.stabilize();
      case "status" -> cluster.status();
      case "heal" -> cluster.heal();
      case "isolate" -> cluster.isolate(Arrays.stream(args).map(Long::valueOf).toList());
      case "deliver" -> cluster.move(id(args[0]), id(args[1]), true);
      case "drop" -> cluster.move(id(args[0]), id(args[1]), false);
      case "crash" -> cluster.crash(id(args[0]), args.length > 1 ? Integer.parseInt(args[1]) : -1);
      case "elect" -> cluster.elect(id(args[0]), Arrays.stream(args).skip(1).map(Long::valueOf).toList());
      case "reboot" -> reboot(args);
      case "force" -> cluster.force(id(args[0]));
      case "restart" -> cluster.restart(id(args[0]));
      case "log" -> cluster.log(id(args[0]));
      case "run" -> cluster.run(id(args[0]));
      default -> onMember(words[0], cluster.node(id(args[0])), args);
    }
  }

  private void onMember(String command, ScriptCluster.Node node, String[] args) {
    switch (command) {
      case "tick" -> tick(node, args.length > 1 ? Integer.parseInt(args[1]) : 1);
      case "timeout" -> tick(node, 10);
      case "propose" -> propose(node, Arrays.asList(args).subList(1, args.length));
      case "change" -> change(node, args[1], id(args[2]));
      case "read" -> node.core.readIndex(id(args[1]));
      case "transfer" -> node.core.transferLeadership(id(args[1]));
      case "lost" -> node.core.leaderLost(id(args[1]));
      case "hold-disk" -> node.diskHeld = true;
      case "free-disk" -> node.diskHeld = false;
      case "hold-apply" -> node.applyHeld = true;
      case "free-apply" -> node.applyHeld = false;
      case "checkpoint" -> node.checkpoint(args.length > 1 ? Integer.parseInt(args[1]) : 0);
      case "unreachable" -> node.core.reportUnreachable(id(args[1]));
      case "snapshot-done" -> node.core.reportSnapshot(id(args[1]), args[2].equals("yes"));
      default -> throw new IllegalArgumentException("unknown command " + command);
    }
  }

  private void reboot(String[] ids) {
    for (String word : ids) {
      cluster.crash(id(word), -1);
      cluster.restart(id(word));
    }
  }

  private static void tick(ScriptCluster.Node node, int times) {
    for (int i = 0; i < times; i++) {
      node.core.tick();
    }
  }

  private void propose(ScriptCluster.Node node, List<String> texts) {
    List<byte[]> requests = texts.stream().map(t -> t.getBytes(StandardCharsets.UTF_8)).toList();
    if (!node.core.propose(requests, 0)) {
      cluster.always("refused");
    }
  }

  private void change(ScriptCluster.Node node, String kind, long member) {
    MembershipChange change = new MembershipChange(MembershipChange.Kind.valueOf(kind), member, new byte[0]);
    cluster.always(node.core.proposeMembership(change, 0).toString());
  }

  private void build(String[] args) {
    int count = Integer.parseInt(args[0]);
    TreeSet<Long> learners = new TreeSet<>();
    for (int i = 1; i < args.length; i += 2) {
      switch (args[i]) {
        case "learner" -> learners.add(id(args[i + 1]));
        case "window" -> window = Integer.parseInt(args[i + 1]);
        case "message" -> messageBytes = Integer.parseInt(args[i + 1]);
        default -> throw new IllegalArgumentException(args[i]);
      }
    }
    TreeSet<Long> voters = new TreeSet<>();
    for (long id = 1; id <= count; id++) {
      if (!learners.contains(id)) {
        voters.add(id);
      }
    }
    initial = new Membership(voters, learners);
    for (long id = 1; id <= count; id++) {
      cluster.add(id, initial, window, messageBytes);
    }
  }

  private static long id(String word) {
    return word.equals("*") ? 0 : Long.parseLong(word);
  }
}
