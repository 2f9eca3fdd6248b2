package io.kvorum.operator.plugin;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.status.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A cluster's status as people read it. */
final class StatusText {
  /** Conditions that are good when false. */
  private static final Set<String> GOOD_WHEN_FALSE = Set.of("Progressing", "Degraded", "OperatorAttention");

  private static final long MEBIBYTE = 1L << 20;

  private StatusText() {}

  /** Everything about one cluster: what it is, its members, what is under way, and each condition that is not as it should be. */
  static String render(KvorumCluster cluster) {
    KvorumClusterStatus status = cluster.getStatus() == null ? KvorumClusterStatus.EMPTY : cluster.getStatus();
    StringBuilder text = new StringBuilder();
    line(text, "Cluster", cluster.getMetadata().getName() + (status.clusterID().isEmpty() ? "" : "  (" + status.clusterID() + ")"));
    line(text, "Phase", word(status.phase()) + "  " + status.summary());
    if (status.version() != null) {
      line(text, "Version", either(status.version().cluster(), "unknown") + target(status.version()));
    }
    if (status.leader() != null) {
      line(text, "Leader", status.leader().name() + "  term " + status.leader().term() + "  since " + status.leader().since());
    }
    if (status.quorum() != null) {
      KvorumClusterStatus.Quorum quorum = status.quorum();
      line(
          text, "Quorum",
          quorum.healthyVoters() + " of " + quorum.voters() + " voters healthy, " + quorum.required() + " needed, " + quorum.faultTolerance()
              + " more may fail");
    }
    if (status.storage() != null && status.storage().databaseSize() != null) {
      line(text, "Database", status.storage().databaseSize() + ", " + status.storage().inUse() + " in use, quota used " + status.storage().quotaUsedPercent() + " %");
    }
    if (status.currentAction() != null) {
      line(text, "Doing", doing(status.currentAction()));
    }
    text.append('\n').append(members(status.members()));
    for (Condition condition : status.conditions()) {
      if (isTrouble(condition)) {
        text.append('\n').append(condition.type()).append(": ").append(word(condition.status())).append(", ").append(condition.reason());
        text.append(condition.message().isEmpty() ? "" : ": " + condition.message());
      }
    }
    return text.append(text.charAt(text.length() - 1) == '\n' ? "" : "\n").toString();
  }

  private static boolean isTrouble(Condition condition) {
    return GOOD_WHEN_FALSE.contains(condition.type()) ? condition.status() != Condition.Status.FALSE : condition.status() != Condition.Status.TRUE;
  }

  private static String target(KvorumClusterStatus.Version version) {
    return version.target() == null || version.target().isEmpty() || version.target().equals(version.cluster()) ? "" : "  going to " + version.target();
  }

  private static String doing(CurrentAction action) {
    return word(action.type()) + (action.member().isEmpty() ? "" : " " + action.member()) + ", " + either(action.step(), "beginning") + ", since " + action.startedAt();
  }

  private static String members(List<KvorumClusterStatus.Member> members) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("MEMBER", "ROLE", "PHASE", "READY", "VERSION", "LAG", "DB", "NODE", "ZONE"));
    for (KvorumClusterStatus.Member member : members) {
      rows.add(
          List.of(
              member.name(), word(member.role()), word(member.phase()), Boolean.TRUE.equals(member.ready()) ? "yes" : "no", either(member.version(), "-"),
              member.lagEntries() == null ? "-" : member.lagEntries().toString(), size(member.databaseBytes()), either(member.node(), "-"),
              either(member.zone(), "-")));
    }
    return TextTable.render(rows);
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(name).append(':').repeat(' ', 10 - name.length()).append(value.stripTrailing()).append('\n');
  }

  private static String either(String text, String otherwise) {
    return text == null || text.isEmpty() ? otherwise : text;
  }

  private static String size(Long bytes) {
    return bytes == null ? "-" : (bytes + MEBIBYTE - 1) / MEBIBYTE + "Mi";
  }

  /** A constant as statuses show it: QUORUM_LOST as QuorumLost. */
  static String word(Enum<?> constant) {
    if (constant == null) {
      return "-";
    }
    StringBuilder text = new StringBuilder();
    for (String part : constant.name().split("_")) {
      text.append(part.charAt(0)).append(part.substring(1).toLowerCase(Locale.ROOT));
    }
    return text.toString();
  }
}
