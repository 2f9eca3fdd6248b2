package io.kvorum.operator.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkloadTest {

  @ParameterizedTest(name = "{0} {1} with the hash {2}: {3}")
  @CsvSource({
    "ReplicaSet, web-7f9c, 7f9c, web",
    "ReplicaSet, web-7f9c, 1111, web-7f9c",
    "ReplicaSet, web, '', web",
    "ReplicaSet, -7f9c, 7f9c, -7f9c",
    "StatefulSet, db, '', db",
    "DaemonSet, log, 7f9c, log",
    "Job, load-29384756, '', load-29384756",
    "Rollout, blue, '', blue"
  })
  void aPodBelongsToItsTopOwner(String kind, String owner, String hash, String expected) {
    Map<String, String> labels = hash.isEmpty() ? Map.of() : Map.of("pod-template-hash", hash);
    Pod pod = pod("web-7f9c-x", null, labels, kind, owner, true);

    assertThat(Workload.of(pod)).isEqualTo(new Workload("shop", expected));
  }

  @Test
  void anOwnerThatDoesNotControlIsNone() {
    assertThat(Workload.of(pod("lone", null, Map.of(), "Thing", "other", false)).name()).isEqualTo("lone");
  }

  @Test
  void aGeneratedNameIsTheSameWorkloadBeforeAndAfterItIsGiven() {
    Pod before = new PodBuilder().withNewMetadata().withGenerateName("probe-").endMetadata().build();
    Pod after = new PodBuilder().withNewMetadata().withNamespace("shop").withGenerateName("probe-").withName("probe-x7k2p").endMetadata().build();

    assertThat(Workload.of(before, "shop")).isEqualTo(Workload.of(after)).isEqualTo(new Workload("shop", "probe"));
  }

  @Test
  void namesOfUserAndSecret() {
    Workload web = new Workload("shop", "web");

    assertThat(web.user()).isEqualTo("agent:shop:web");
    assertThat(web.secret()).isEqualTo("kvorum-agent-web");
    assertThat(Workload.ofUser(web.user())).contains(web);
  }

  @ParameterizedTest
  @CsvSource({"root", "agent:", "agent:shop", "agent::web", "agent:shop:", "agent:a:b:c", "agents:shop:web"})
  void otherUsersAreNobodysWorkload(String user) {
    assertThat(Workload.ofUser(user)).isEmpty();
  }

  @Test
  void aLongNameStillMakesASecretOfItsOwn() {
    String one = new Workload("shop", "a".repeat(252) + "b").secret();
    String other = new Workload("shop", "a".repeat(252) + "c").secret();

    assertThat(one).hasSizeLessThanOrEqualTo(253).isNotEqualTo(other);
  }

  private static Pod pod(String name, String generate, Map<String, String> labels, String kind, String owner, boolean controller) {
    return new PodBuilder()
        .withNewMetadata()
        .withNamespace("shop")
        .withName(name)
        .withGenerateName(generate)
        .withLabels(labels)
        .withOwnerReferences(new OwnerReferenceBuilder().withApiVersion("v1").withKind(kind).withName(owner).withUid("u").withController(controller).build())
        .endMetadata()
        .build();
  }
}
