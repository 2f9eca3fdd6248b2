package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Phase;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.observe.HashComparison;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.store.GrpcStoreAdmin;
import io.kvorum.operator.store.StoreAdmin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole procedures with real store processes. The operator crashes before and after every side effect: each time all that it holds is thrown away and read
 * anew from the files, while the members go on.
 */
@Timeout(300)
class LocalClusterIT {
  @TempDir Path folder;

  private LocalLab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new LocalLab(folder);
  }

  @AfterEach
  void close() {
    lab.close();
  }

  private static boolean isReady(KvorumClusterStatus status, int voters) {
    return status.phase() == Phase.RUNNING && status.quorum() != null && status.quorum().voters() == voters && status.quorum().healthyVoters() == voters
        && status.quorum().learners() == 0 && status.currentAction() == null;
  }

  @Test
  void a_cluster_grows_changes_and_shrinks_while_the_operator_crashes_at_every_side_effect() throws Exception {
    lab.crashEverywhere();
    lab.want(1, List.of());
    lab.until("one voter", status -> isReady(status, 1));
    String clusterId = lab.status().clusterID();
    lab.kv().put("kept", "from the first moment");

    lab.want(3, List.of());
    lab.until("three voters", status -> isReady(status, 3));
    assertThat(lab.memberNames()).containsExactly("lab-0", "lab-1", "lab-2");

    String before = lab.status().leader().name();
    lab.want(3, List.of("max-txn-ops", "200", "max-request-bytes", "2000000"));
    lab.until("rolled", status -> isReady(status, 3) && lab.pods().stream().allMatch(pod -> pod.templateHash().equals(status.targetHash())));
    assertThat(lab.crashes()).as("every side effect was one").isGreaterThan(30);
    assertThat(lab.status().leader().name()).isNotEqualTo(before);

    lab.want(1, List.of("max-txn-ops", "200", "max-request-bytes", "2000000"));
    lab.until("one voter again", status -> isReady(status, 1));
    assertThat(lab.kv().get("kept")).isEqualTo("from the first moment");
    assertThat(lab.status().clusterID()).isEqualTo(clusterId);
    assertThat(lab.neverBelowQuorum()).isTrue();
  }

  @Test
  void a_change_that_the_store_reloads_restarts_nobody() throws Exception {
    lab.want(1, List.of());
    lab.until("one voter", status -> isReady(status, 1));
    String uid = lab.pods().getFirst().uid();
    long pid = lab.pid("lab-0");

    lab.want(1, List.of("max-txn-ops", "3"));
    lab.until("reloaded", status -> lab.events().contains("ConfigReloaded"));

    assertThat(lab.pods().getFirst().uid()).isEqualTo(uid);
    assertThat(lab.pid("lab-0")).isEqualTo(pid);
    assertThat(lab.kv().txnWithPuts(4)).isEqualTo("INVALID_ARGUMENT: etcdserver: too many operations in txn request");
  }

  @Test
  void a_cluster_with_tls_and_users_rotates_its_certificates_sleeps_and_wakes() throws Exception {
    lab.security("auth: {enabled: true}");
    lab.want(1, List.of());
    lab.until("one voter with users", status -> isReady(status, 1) && lab.events().contains("AuthEnabled"));
    assertThat(lab.endpoints().getFirst().clientUrl()).startsWith("https://");
    lab.kv().put("kept", "yes");
    Path trusted = lab.data().resolve("tls/ca.crt");
    Path key = lab.data().resolve("tls/lab-0/client/tls.key");
    String authority = Files.readString(trusted);
    String before = Files.readString(key);
    assertThat(Files.getPosixFilePermissions(key)).containsExactlyInAnyOrder(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    long pid = lab.pid("lab-0");
    String clusterId = lab.status().clusterID();

    lab.ask(rotation());
    lab.until("rotated", status -> lab.operation("rotation").map(KvorumOperationStatus::phase).equals(Optional.of(KvorumOperationStatus.Phase.SUCCEEDED)));
    assertThat(Files.readString(trusted)).isNotEqualTo(authority).containsOnlyOnce("BEGIN CERTIFICATE");
    assertThat(Files.readString(key)).isNotEqualTo(before);
    assertThat(lab.pid("lab-0")).as("nobody is restarted").isEqualTo(pid);
    assertThat(lab.kv().get("kept")).isEqualTo("yes");

    lab.security("auth: {enabled: true}\n  hibernated: true");
    lab.want(1, List.of());
    lab.until("asleep", status -> status.phase() == Phase.HIBERNATED && lab.pods().isEmpty());
    lab.security("auth: {enabled: false}");
    lab.want(1, List.of());
    lab.until("awake without users", status -> isReady(status, 1) && lab.events().contains("AuthDisabled"));
    assertThat(lab.status().clusterID()).isEqualTo(clusterId);
    assertThat(lab.kv().get("kept")).isEqualTo("yes");
  }

  private static KvorumOperation rotation() {
    KvorumOperation rotation = new KvorumOperation();
    rotation.setMetadata(new ObjectMetaBuilder().withName("rotation").build());
    rotation.setSpec(
        new KvorumOperationSpec(
            "lab", null, 600, null, null, null, null, null,
            new KvorumOperationSpec.RotateCertificates(KvorumOperationSpec.RotateCertificates.Kind.CERTIFICATE_AUTHORITY), null, null, null));
    return rotation;
  }

  @Test
  void authentication_goes_on_and_off_and_takes_the_secrets_password_when_it_comes_back() throws Exception {
    lab.want(1, List.of());
    lab.until("one voter", status -> isReady(status, 1));
    lab.kv().put("kept", "yes");
    try (GrpcStoreAdmin first = lab.root("first"); GrpcStoreAdmin second = lab.root("second")) {
      first.enableAuth(lab.endpoints(), "first");
      first.enableAuth(lab.endpoints(), "first");
      assertThat(first.observe(lab.endpoints()).authEnabled()).contains(true);
      assertThatThrownBy(() -> lab.kv().get("kept")).hasMessageContaining("user name is empty");
      first.disableAuth(lab.endpoints());
      first.disableAuth(lab.endpoints());
      assertThat(first.observe(lab.endpoints()).authEnabled()).contains(false);
      assertThat(lab.kv().get("kept")).isEqualTo("yes");
      second.enableAuth(lab.endpoints(), "second");
      assertThat(second.observe(lab.endpoints()).authEnabled()).contains(true);
      assertThat(second.observe(lab.endpoints()).answers()).as("to root alone").hasSize(1);
      assertThatThrownBy(() -> lab.root("first").disableAuth(lab.endpoints())).isInstanceOf(StoreAdmin.StoreException.class);
      second.disableAuth(lab.endpoints());
    }
  }

  @Test
  void a_member_whose_volume_is_gone_is_replaced_and_one_survivor_goes_on_as_a_new_cluster() throws Exception {
    lab.want(3, List.of());
    lab.until("three voters", status -> isReady(status, 3));
    lab.kv().put("kept", "yes");
    String clusterId = lab.status().clusterID();
    StoreState compared = lab.compareData();
    assertThat(compared.comparison().orElseThrow().verdict(3)).isEqualTo(new HashComparison.Verdict.Same());
    assertThat(compared.answers()).as("all tell their clocks").allSatisfy(answer -> assertThat(answer.clock()).isPresent());

    lab.destroyVolume("lab-1");
    lab.until("replaced", status -> isReady(status, 3) && lab.memberNames().contains("lab-3"));
    assertThat(lab.memberNames()).doesNotContain("lab-1");
    assertThat(lab.status().clusterID()).isEqualTo(clusterId);

    lab.destroyVolume("lab-2");
    lab.destroyVolume("lab-3");
    lab.until("quorum is lost", status -> status.phase() == Phase.QUORUM_LOST);
    lab.crashEverywhere();
    KvorumOperation recovery = new KvorumOperation();
    recovery.setMetadata(new ObjectMetaBuilder().withName("recovery").build());
    recovery.setSpec(
        new KvorumOperationSpec(
            "lab", null, 600, null, null, null, null, null, null, new KvorumOperationSpec.RecoverQuorum("", null, true), null, null));
    lab.ask(recovery);
    lab.until(
        "recovered",
        status -> isReady(status, 3) && lab.operation("recovery").map(KvorumOperationStatus::phase).equals(Optional.of(KvorumOperationStatus.Phase.SUCCEEDED)));
    assertThat(lab.status().clusterID()).isNotEqualTo(clusterId);
    assertThat(lab.kv().get("kept")).isEqualTo("yes");
  }
}
