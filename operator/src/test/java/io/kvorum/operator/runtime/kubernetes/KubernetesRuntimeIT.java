package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.net.HttpURLConnection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The runtime on a real API server without nodes: what it writes is admitted, is written once, and is found again. */
class KubernetesRuntimeIT extends ApiServerFixture {

  @Test
  void whatIsWantedIsWrittenOnceAndNotAgain() {
    pass();
    start();
    pass();
    Map<String, String> versions = versions();
    assertThat(versions.keySet())
        .contains(
            "Service/kv-client", "Service/kv-peer", "Service/kv-metrics", "ConfigMap/kv-0-config", "ConfigMap/kv-ca", "Secret/kv-root", "Secret/kv-client-ca",
            "Secret/kv-peer-ca", "Secret/kv-0-client-tls", "Secret/kv-0-peer-tls", "Secret/kv-operator-tls", "Pod/kv-0");

    runtime = runtime();
    pass();
    pass();

    assertThat(versions()).isEqualTo(versions);
  }

  @Test
  void aServiceThatSomebodyChangedIsPutRight() {
    pass();
    client.services().inNamespace(namespace).withName("kv-client").edit(service -> {
      service.getSpec().setSelector(Map.of("app", "other"));
      return service;
    });
    runtime = runtime();
    pass();

    assertThat(client.services().inNamespace(namespace).withName("kv-client").get().getSpec().getSelector())
        .containsEntry(Names.CLUSTER, "kv")
        .containsEntry(Names.SERVING, "true");
  }

  @Test
  void aMemberItsClaimAndItsPodAreMadeOnceHoweverOftenAsked() {
    pass();
    start();
    Pod pod = pod();
    start();

    assertThat(pod().getMetadata().getUid()).isEqualTo(pod.getMetadata().getUid());
    KvorumMember member = member();
    assertThat(member.getMetadata().getFinalizers()).containsExactly(Api.FINALIZER);
    assertThat(member.getSpec().initialPeers()).containsExactly("kv-0=" + runtime.peerUrl(MEMBER));
    assertThat(pod.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(owner -> assertThat(owner.getUid()).isEqualTo(member.getMetadata().getUid()));
    Observation seen = runtime.surroundings();
    assertThat(seen.claims()).singleElement().satisfies(claim -> {
      assertThat(claim.member()).isEqualTo(MEMBER);
      assertThat(claim.requestedBytes()).isEqualTo(1L << 30);
    });
    assertThat(seen.pods()).singleElement().satisfies(state -> {
      assertThat(state.templateHash()).isEqualTo(seen.facts().templateHash());
      assertThat(state.version()).isEqualTo("0.1.0");
      assertThat(state.ready()).isFalse();
    });
    assertThat(runtime.endpoints()).as("a pod without an address cannot be asked").isEmpty();
  }

  @Test
  void aGrowthThatTheApiServerRefusesIsTheClaimsProblem() {
    pass();
    start();
    assertThat(runtime.surroundings().claims().getFirst().resizeProblem()).isEmpty();
    apply("auth: {enabled: true}, storage: {size: 2Gi}");
    pass();
    runtime.growClaim(MEMBER, 2L << 30); // no volume is bound to it yet: its request cannot be changed

    assertThat(runtime.surroundings().claims()).singleElement().satisfies(claim -> {
      assertThat(claim.requestedBytes()).isEqualTo(1L << 30);
      assertThat(claim.resizeProblem().orElseThrow().message()).contains("immutable");
    });
  }

  @Test
  void whoRotatesCertificatesTellsThePodSoThatItsFilesAreRefreshed() {
    pass();
    start();
    pass();
    String before = pod().getMetadata().getAnnotations().get(Names.CERTIFICATES_HASH);
    runtime.rotateCertificates(Phase.TRUST_BOTH);
    pass();

    assertThat(before).isNotEmpty();
    assertThat(pod().getMetadata().getAnnotations().get(Names.CERTIFICATES_HASH)).isNotEqualTo(before);
  }

  @Test
  void aPodIsDeletedByItsUidAlone() {
    pass();
    start();
    String uid = pod().getMetadata().getUid();

    runtime.deletePod(MEMBER, UUID.randomUUID().toString());
    assertThat(pod().getMetadata().getUid()).isEqualTo(uid);

    runtime.deletePod(MEMBER, uid);
    await(() -> pod() == null);
    runtime.deletePod(MEMBER, uid);
  }

  @Test
  void aStatusThatSomebodyElseWroteMeanwhileIsNotOverwritten() {
    pass();
    KvorumCluster read = runtime.surroundings().cluster();
    client.resource(read).edit(cluster -> {
      cluster.getMetadata().setAnnotations(Map.of("touched", "yes"));
      return cluster;
    });
    KvorumCluster stale = new KvorumCluster();
    stale.setMetadata(read.getMetadata());
    stale.setSpec(read.getSpec());
    stale.setStatus(KvorumClusterStatus.EMPTY);

    assertThatThrownBy(() -> runtime.writeStatus(stale))
        .isInstanceOfSatisfying(KubernetesClientException.class, e -> assertThat(e.getCode()).isEqualTo(HttpURLConnection.HTTP_CONFLICT));
  }

  @Test
  void theBudgetFollowsTheVoters() {
    pass();
    create("kv-0", 0);
    create("kv-1", 1);
    role("kv-0", "Leader");
    pass();
    assertThat(client.policy().v1().podDisruptionBudget().inNamespace(namespace).withName("kv").get()).as("one voter has none").isNull();

    role("kv-1", "Voter");
    pass();
    assertThat(client.policy().v1().podDisruptionBudget().inNamespace(namespace).withName("kv").get().getSpec().getMinAvailable().getIntVal())
        .isEqualTo(2);

    role("kv-1", "Learner");
    pass();
    assertThat(client.policy().v1().podDisruptionBudget().inNamespace(namespace).withName("kv").get()).isNull();
  }

  @Test
  void theRoleOfAMemberReachesItsPodWithoutARestart() {
    pass();
    start();
    assertThat(pod().getMetadata().getLabels()).containsEntry(Names.ROLE, Names.LEARNER);
    role(MEMBER, "Voter");
    pass();
    assertThat(pod().getMetadata().getLabels()).containsEntry(Names.ROLE, Names.VOTER).containsEntry(Names.SERVING, "true");

    runtime.surroundings();
    runtime.serveClients(MEMBER, false);
    assertThat(pod().getMetadata().getLabels()).containsEntry(Names.SERVING, "false");
    pass();
    assertThat(pod().getMetadata().getLabels()).as("a pass leaves it so").containsEntry(Names.SERVING, "false");
  }

  @Test
  void aReloadableOptionReachesTheFileAndNotTheTemplate() {
    pass();
    start();
    pass();
    String template = runtime.surroundings().facts().templateHash();
    String before = pod().getMetadata().getAnnotations().get(Names.CONFIG_HASH);

    apply("auth: {enabled: true}, config: {log-level: debug}");
    pass();

    assertThat(client.configMaps().inNamespace(namespace).withName("kv-0-config").get().getData().get("kvorum.yaml")).contains("log-level: 'debug'");
    Observation.Facts facts = runtime.surroundings().facts();
    assertThat(facts.templateHash()).isEqualTo(template);
    String after = pod().getMetadata().getAnnotations().get(Names.CONFIG_HASH);
    assertThat(after).isNotEqualTo(before);
    assertThat(recognised(after, Set.of()).configHash()).isEqualTo(facts.configHash());
    assertThat(recognised(before, Set.of()).configHash()).isNotEqualTo(facts.configHash());
  }

  @Test
  void anAuthorityIsReplacedInThreePhasesEachConfirmedByWhatAMemberReports() {
    pass();
    start();
    pass();
    String oldAuthority = fingerprint("kv-peer-ca");
    String oldLeaf = fingerprint("kv-0-peer-tls");

    runtime.rotateCertificates(Phase.TRUST_BOTH);
    pass();
    Observation.Certificates both = runtime.surroundings().facts().certificates();
    assertThat(both.phase()).isEqualTo(Phase.TRUST_BOTH);
    assertThat(both.expected()).hasSize(2).contains(oldAuthority);
    assertThat(fingerprint("kv-0-peer-tls")).isEqualTo(oldLeaf);
    assertThat(Pem.certificates(text("kv-0-peer-tls", Secrets.AUTHORITY))).hasSize(2);

    runtime.rotateCertificates(Phase.REISSUE_LEAVES);
    pass();
    Observation.Certificates reissued = runtime.surroundings().facts().certificates();
    assertThat(fingerprint("kv-0-peer-tls")).isNotEqualTo(oldLeaf);
    assertThat(reported(reissued, oldLeaf)).as("a member with its former leaf").isFalse();
    assertThat(reported(reissued, fingerprint("kv-0-peer-tls"))).as("a member with its new leaf").isTrue();

    runtime.rotateCertificates(Phase.DROP_OLD);
    pass();
    assertThat(runtime.surroundings().facts().certificates().expected()).doesNotContain(oldAuthority);
    assertThat(Pem.certificates(text("kv-0-peer-tls", Secrets.AUTHORITY))).hasSize(1);
    runtime.rotateCertificates(Phase.STABLE);
    pass();
    assertThat(runtime.surroundings().facts().certificates().phase()).isEqualTo(Phase.STABLE);
    assertThat(fingerprint("kv-peer-ca")).isNotEqualTo(oldAuthority);
  }

  /** Whether a member that reports all authorities and these leaves has all that is expected. */
  private boolean reported(Observation.Certificates expected, String peerLeaf) {
    Set<String> fingerprints = new HashSet<>(expected.expected());
    fingerprints.removeIf(one -> one.startsWith("own"));
    fingerprints.add(peerLeaf);
    fingerprints.add(fingerprint("kv-0-client-tls"));
    return recognised("", fingerprints).certificateFingerprints().containsAll(expected.expected());
  }

  @Test
  void givenSecretsAreUsedAndMissedWhenTheyDoNotExist() {
    apply("tls: {client: {mode: Secret, secretRef: mine}, peer: {mode: Managed}}, auth: {enabled: true, rootCredentialsSecretRef: root}");
    pass();

    assertThat(runtime.surroundings().facts().missingSecrets()).containsExactly("mine", "root");
    assertThat(client.secrets().inNamespace(namespace).withName("kv-client-ca").get()).isNull();
  }

  @Test
  void aRemovedMembersClaimIsKeptUnderTheOldIdOrDeleted() {
    pass();
    start();
    role(MEMBER, "Voter");
    create("kv-1", 1);

    runtime.deletePod(MEMBER, pod().getMetadata().getUid());
    runtime.releaseMember(MEMBER, true);
    runtime.releaseMember("kv-1", false);

    await(() -> client.resources(KvorumMember.class).inNamespace(namespace).list().getItems().isEmpty());
    assertThat(client.persistentVolumeClaims().inNamespace(namespace).list().getItems())
        .filteredOn(claim -> claim.getMetadata().getDeletionTimestamp() == null)
        .singleElement()
        .satisfies(claim -> assertThat(claim.getMetadata().getLabels()).containsEntry(Names.FORMER_MEMBER, "ab12"));
    assertThat(runtime.surroundings().claims())
        .filteredOn(claim -> !claim.terminating())
        .singleElement()
        .satisfies(claim -> assertThat(claim.member()).isEmpty());
  }

  @Test
  void aDeletedClusterLeavesNothingButWhatItsPolicyKeeps() {
    pass();
    create(MEMBER, 0);
    client.resource(runtime.surroundings().cluster()).edit(one -> {
      one.getMetadata().setFinalizers(List.of(Api.FINALIZER));
      return one;
    });
    client.resource(runtime.surroundings().cluster()).delete();
    pass();

    runtime.finishDeletion();

    await(() -> client.resources(KvorumCluster.class).inNamespace(namespace).withName("kv").get() == null);
    await(() -> client.services().inNamespace(namespace).list().getItems().isEmpty());
    await(() -> client.secrets().inNamespace(namespace).list().getItems().isEmpty());
    assertThat(client.persistentVolumeClaims().inNamespace(namespace).list().getItems()).as("whenDeleted: Retain").hasSize(1);
    assertThatThrownBy(() -> runtime.surroundings()).isInstanceOf(KubernetesRuntime.GoneException.class);
  }

  @Test
  void eventsReachTheObjectTheyAreAbout() {
    pass();
    runtime.publish(new PlannedEvent(EventReason.QUORUM_LOST, "", "two of three do not answer"));

    assertThat(client.events().v1().events().inNamespace(namespace).list().getItems()).singleElement().satisfies(event -> {
      assertThat(event.getReason()).isEqualTo("QuorumLost");
      assertThat(event.getType()).isEqualTo("Warning");
      assertThat(event.getRegarding().getName()).isEqualTo("kv");
    });
  }

  @Test
  void aClaimIsAskedToGrow() {
    pass();
    create(MEMBER, 0);
    apply("storage: {size: 2Gi}, auth: {enabled: true}");
    runtime.surroundings();

    // Only a bound claim of an expandable class may grow, and nothing binds here: the refusal is the API server's, about this very change.
    runtime.growClaim(MEMBER, 2L << 30);
    assertThat(runtime.surroundings().claims())
        .singleElement()
        .satisfies(claim -> assertThat(claim.resizeProblem().orElseThrow().message()).contains("spec is immutable after creation except"));
  }
}
