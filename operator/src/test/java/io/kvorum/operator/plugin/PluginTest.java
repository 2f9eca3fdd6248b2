package io.kvorum.operator.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class PluginTest {
  private final List<KvorumOperation> asked = new ArrayList<>();
  private final Deque<KvorumOperationStatus> answers = new ArrayDeque<>();
  private final List<KvorumBackup> taken = new ArrayList<>();
  private final Deque<String> steps = new ArrayDeque<>();
  private boolean none;
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
    cluster.setMetadata(new ObjectMetaBuilder().withName("main").withNamespace("shop").build());
    cluster.setSpec(
        Serialization.unmarshal(
            "---\n{version: 0.1.0, storage: {size: 1Gi}, paused: true, backup: {destination: {s3: {bucket: b, prefix: kv/}}}, bootstrap: {recovery: {backupRef: old}}}",
            KvorumClusterSpec.class));
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

  private static KvorumBackup backup(String name, String status) {
    KvorumBackup backup = new KvorumBackup();
    backup.setMetadata(new ObjectMetaBuilder().withName(name).withCreationTimestamp("2026-01-0" + name.charAt(name.length() - 1) + "T00:00:00Z").build());
    backup.setSpec(new KvorumBackupSpec("main", null, null, null, null, null));
    backup.setStatus(Serialization.unmarshal("---\n" + status, KvorumBackupStatus.class));
    return backup;
  }

  private static final String COMPLETED = "{phase: Completed, type: Full, size: 3Mi, completedAt: t, artefact: {id: i, uri: 's3://b/i', toRevision: 77}}";
  private static final String VERIFIED = COMPLETED.replace("Completed,", "Verified, conditions: [{type: Verified, status: 'True', reason: Equal}],");

  @Test
  void a_backup_is_followed_to_its_end_and_one_to_be_verified_beyond() {
    steps.add("{phase: Running, message: reading from main-1}");
    steps.add(COMPLETED);
    assertThat(run("backup", "main", "--type", "delta")).isZero();
    KvorumBackupSpec spec = taken.getFirst().getSpec();
    assertThat(spec.type()).isEqualTo(KvorumBackupSpec.Type.DELTA);
    assertThat(spec.deletionPolicy()).isEqualTo(KvorumBackupSpec.DeletionPolicy.RETAIN);
    assertThat(out.toString()).contains("Running  reading from main-1").contains("s3://b/i  revision 77  3Mi");

    steps.clear();
    steps.add(COMPLETED);
    steps.add(VERIFIED);
    assertThat(run("backup", "main", "--verify", "--delete-artefact")).isZero();
    assertThat(taken.getLast().getSpec().verify()).isTrue();
    assertThat(taken.getLast().getSpec().deletionPolicy()).isEqualTo(KvorumBackupSpec.DeletionPolicy.DELETE);
    assertThat(out.toString()).contains("restored and equal");
  }

  @Test
  void a_backup_that_failed_says_why() {
    steps.add("{phase: Failed, reason: DestinationUnavailable, message: no such bucket}");
    assertThat(run("backup", "main")).isEqualTo(1);
    assertThat(out.toString()).contains("Failed  no such bucket");
  }

  @Test
  void status_of_nothing_says_so() {
    none = true;
    assertThat(run("status")).isZero();
    assertThat(out.toString()).isEqualTo("No clusters.\n");
  }

  @Test
  void status_lists_backups_newest_first() {
    taken.add(backup("b-1", VERIFIED));
    taken.add(backup("b-2", "{phase: Running, message: reading from main-1}"));
    assertThat(run("status", "main")).isZero();
    assertThat(out.toString()).containsPattern("b-2 +Full +Running +- +- +- +- +reading from main-1").containsPattern("b-1 +Full +Verified +77 +3Mi +True +t");
    assertThat(out.toString().indexOf("b-2")).isLessThan(out.toString().indexOf("b-1"));
  }

  @Test
  void a_cluster_is_put_back_only_when_the_loss_is_acknowledged() {
    taken.add(backup("b-1", VERIFIED));
    assertThat(run("restore", "main", "b-1")).isEqualTo(2);
    assertThat(err.toString()).contains("--acknowledge-data-loss").contains("--into NEW | kubectl apply -f -");
    assertThat(run("restore", "main", "b-1", "--revision", "5", "--time", "2026-01-01T00:00:00Z", "--into", "x")).isEqualTo(2);
    assertThat(asked).isEmpty();

    answers.add(answer(Phase.SUCCEEDED, "", "back at revision 70"));
    assertThat(run("restore", "main", "b-1", "--revision", "70", "--acknowledge-data-loss")).isZero();
    assertThat(asked.getFirst().getSpec().restoreInPlace().backupRef()).isEqualTo("b-1");
    assertThat(asked.getFirst().getSpec().restoreInPlace().revision()).isEqualTo(70);
  }

  @Test
  void a_new_cluster_is_like_the_old_one_but_begins_with_the_backup() {
    taken.add(backup("b-1", COMPLETED));
    assertThat(run("restore", "main", "b-1", "--into", "main-2", "--time", "2026-01-01T00:00:00Z")).isZero();

    KvorumCluster made = Serialization.unmarshal(out.toString(), KvorumCluster.class);
    assertThat(made.getMetadata().getName()).isEqualTo("main-2");
    assertThat(made.getMetadata().getNamespace()).isEqualTo("shop");
    assertThat(made.getSpec().bootstrap().recovery().backupRef()).isEqualTo("b-1");
    assertThat(made.getSpec().bootstrap().recovery().target().time()).isEqualTo("2026-01-01T00:00:00Z");
    assertThat(made.getSpec().version()).isEqualTo("0.1.0");
    assertThat(made.getSpec().paused()).isFalse();
    assertThat(made.getSpec().backup().destination().s3().prefix()).as("not into the old one's folder").isEqualTo("kv-main-2");
    assertThat(asked).isEmpty();
  }

  @Test
  void what_cannot_be_restored_is_refused_before_anything_is_asked() {
    taken.add(backup("b-1", "{phase: Failed, message: damaged}"));
    assertThat(run("restore", "main", "b-1", "--acknowledge-data-loss")).isEqualTo(1);
    assertThat(err.toString()).contains("b-1 cannot be restored").contains("damaged");
    assertThat(run("verify", "main", "b-9")).isEqualTo(1);
    assertThat(err.toString()).contains("there is no backup b-9");
    assertThat(asked).isEmpty();
  }

  @Test
  void the_kind_of_a_kubeconfigs_key_is_seen_in_each_of_its_forms() throws Exception {
    for (String kind : List.of("EC", "RSA")) {
      PrivateKey key = KeyPairGenerator.getInstance(kind).generateKeyPair().getPrivate();
      for (Object form : List.of(key, new JcaPKCS8Generator(key, null))) {
        StringWriter pem = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(pem)) {
          writer.writeObject(form);
        }
        assertThat(KubernetesObjects.isElliptic(pem.toString())).as(pem.toString().lines().findFirst().orElseThrow()).isEqualTo(kind.equals("EC"));
      }
    }
    assertThat(KubernetesObjects.isElliptic("")).isFalse();
  }

  private final class FakeObjects implements Objects {
    @Override
    public List<KvorumCluster> clusters() {
      return none ? List.of() : List.of(PluginTest.cluster());
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
    public List<KvorumBackup> backups(String cluster) {
      return List.copyOf(taken);
    }

    @Override
    public Optional<KvorumBackup> backup(String name) {
      Optional<KvorumBackup> found = taken.stream().filter(backup -> backup.getMetadata().getName().equals(name)).findFirst();
      if (!steps.isEmpty()) {
        found.orElseThrow().setStatus(Serialization.unmarshal("---\n" + (steps.size() > 1 ? steps.poll() : steps.peek()), KvorumBackupStatus.class));
      }
      return found;
    }

    @Override
    public void create(KvorumBackup backup) {
      taken.add(backup);
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }
}
