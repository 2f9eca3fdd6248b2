package io.kvorum.operator.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class PluginTest {
  private final List<KvorumOperation> asked = new ArrayList<>();
  private final Deque<KvorumOperationStatus> answers = new ArrayDeque<>();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine line = Plugin.commandLine(new Plugin(FakeObjects::new));
    line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return line.execute(arguments);
  }

  private static KvorumOperationStatus answer(Phase phase, String step, String message) {
    return new KvorumOperationStatus(phase, "", step, "", "", message);
  }

  @Test
  void an_operation_is_followed_to_its_end() {
    answers.add(answer(Phase.RUNNING, "Transfer", "to main-2"));
    answers.add(answer(Phase.SUCCEEDED, "", "main-2 leads"));

    assertThat(run("transfer-leader", "main", "--to", "main-2")).isZero();

    assertThat(asked).hasSize(1);
    assertThat(asked.getFirst().getSpec().clusterRef()).isEqualTo("main");
    assertThat(asked.getFirst().getSpec().transferLeader().to()).isEqualTo("main-2");
    assertThat(asked.getFirst().getSpec().restart()).isNull();
    assertThat(out.toString()).contains("Running  Transfer  to main-2").contains("main-2 leads");
  }

  @Test
  void a_rejected_operation_is_a_failure_with_its_reason() {
    answers.add(answer(Phase.REJECTED, "", "main-9 is no member"));
    assertThat(run("replace", "main", "main-9")).isEqualTo(1);
    assertThat(out.toString()).contains("Rejected").contains("main-9 is no member");
  }

  @Test
  void without_waiting_it_is_only_asked_for() {
    assertThat(run("restart", "main", "main-0", "main-1", "--reason", "new kernel", "--no-wait")).isZero();
    assertThat(asked.getFirst().getSpec().restart().members()).containsExactly("main-0", "main-1");
    assertThat(asked.getFirst().getSpec().restart().reason()).isEqualTo("new kernel");
  }

  @Test
  void an_unknown_cluster_and_an_unacknowledged_loss_are_refused_before_anything_is_asked() {
    assertThat(run("compact", "other")).isEqualTo(1);
    assertThat(err.toString()).contains("there is no cluster other");
    assertThat(run("recover", "main")).isEqualTo(2);
    assertThat(asked).isEmpty();
  }

  @Test
  void status_shows_members_and_every_condition_that_is_not_as_it_should_be() {
    assertThat(run("status", "main")).isZero();
    assertThat(out.toString())
        .contains("Cluster:   main")
        .contains("Degraded  2/3")
        .containsPattern("main-1 +Voter +Voting +no")
        .contains("Ready: False, MembersUnhealthy: main-1 does not answer")
        .doesNotContain("QuorumAvailable");
  }

  private static KvorumCluster cluster() {
    KvorumCluster cluster = new KvorumCluster();
    cluster.setMetadata(new ObjectMetaBuilder().withName("main").build());
    KvorumClusterStatus empty = KvorumClusterStatus.EMPTY;
    KvorumClusterStatus.Member member =
        new KvorumClusterStatus.Member(
            "main-1", "a1", KvorumMemberStatus.Role.VOTER, KvorumMemberStatus.Phase.VOTING, false, "1.0.0", "", 3L, 1L << 20, 1L << 20, "", "");
    List<Condition> conditions =
        List.of(
            new Condition("Ready", Condition.Status.FALSE, "MembersUnhealthy", "main-1 does not answer", "", 1L),
            new Condition("QuorumAvailable", Condition.Status.TRUE, "Healthy", "", "", 1L));
    cluster.setStatus(
        new KvorumClusterStatus(
            1L, KvorumClusterStatus.Phase.DEGRADED, "2/3", 3, "", "c1", null, null, null, List.of(member), null, 3, "", null, null, List.of(), List.of(),
            conditions, empty.memory()));
    return cluster;
  }

  private final class FakeObjects implements Objects {
    @Override
    public List<KvorumCluster> clusters() {
      return List.of(PluginTest.cluster());
    }

    @Override
    public Optional<KvorumCluster> cluster(String name) {
      return clusters().stream().filter(cluster -> cluster.getMetadata().getName().equals(name)).findFirst();
    }

    @Override
    public Optional<KvorumOperation> operation(String name) {
      KvorumOperation operation = asked.getFirst();
      assertThat(operation.getMetadata().getName()).isEqualTo(name);
      operation.setStatus(answers.size() > 1 ? answers.poll() : answers.peek());
      return Optional.of(operation);
    }

    @Override
    public void create(KvorumOperation operation) {
      asked.add(operation);
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }
}
