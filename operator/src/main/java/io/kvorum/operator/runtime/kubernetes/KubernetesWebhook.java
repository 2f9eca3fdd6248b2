package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.NamespacedKubernetesClient;
import io.fabric8.kubernetes.client.RequestConfig;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.webhook.WebhookObjects;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The webhook's objects on the API server, and the clusters that its reviews are about. */
public final class KubernetesWebhook implements WebhookObjects {
  /** An API server that waits for a review does not wait for more than a few seconds. */
  private static final RequestConfig QUICK = new RequestConfigBuilder().withRequestTimeout(2_000).withRequestRetryBackoffLimit(0).build();

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  private final KubernetesClient client;
  private final Place place;
  private final Set<String> watched;

  /**
   * Where the objects are.
   *
   * @param namespace of the operator
   * @param secret with the certificate
   * @param configuration name of the MutatingWebhookConfiguration
   */
  public record Place(String namespace, String secret, String configuration) {}

  /** @param watched namespaces that are looked after, empty for all */
  public KubernetesWebhook(KubernetesClient client, Place place, Set<String> watched) {
    this.client = client;
    this.place = place;
    this.watched = Set.copyOf(watched);
  }

  /** The cluster, if there is one and this operator looks after it. Asked anew each time: a cluster may be made in the same breath as its first pods. */
  public Optional<KvorumCluster> cluster(ClusterRef asked) {
    // What a pod says becomes part of a path: a name that cannot be one is nobody's.
    boolean named = NAME.matcher(asked.namespace()).matches() && NAME.matcher(asked.name()).matches();
    if (!named || (!watched.isEmpty() && !watched.contains(asked.namespace()))) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        client
            .adapt(NamespacedKubernetesClient.class)
            .withRequestConfig(QUICK)
            .call(quick -> quick.resources(KvorumCluster.class).inNamespace(asked.namespace()).withName(asked.name()).get()));
  }

  @Override
  public Optional<Secret> secret() {
    return Optional.ofNullable(client.secrets().inNamespace(place.namespace()).withName(place.secret()).get());
  }

  @Override
  public void save(Secret secret) {
    if (secret.getMetadata().getResourceVersion() == null) {
      client.resource(secret).create();
    } else {
      client.resource(secret).fieldManager(Names.FIELD_MANAGER).forceConflicts().serverSideApply();
    }
  }

  @Override
  public boolean trusts(String bundle) {
    return configuration().filter(one -> one.getWebhooks().stream().allMatch(webhook -> encoded(bundle).equals(webhook.getClientConfig().getCaBundle()))).isPresent();
  }

  @Override
  public void trust(String bundle) {
    MutatingWebhookConfiguration found =
        configuration().orElseThrow(() -> new IllegalStateException("there is no MutatingWebhookConfiguration " + place.configuration() + ": no pod gets an agent"));
    List<Map<String, Object>> webhooks =
        found.getWebhooks().stream().map(one -> Map.of("name", one.getName(), "clientConfig", Map.of("caBundle", encoded(bundle)))).toList();
    client.resource(found).patch(PatchContext.of(PatchType.STRATEGIC_MERGE), Serialization.asJson(Map.of("webhooks", webhooks)));
  }

  private Optional<MutatingWebhookConfiguration> configuration() {
    return Optional.ofNullable(client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(place.configuration()).get());
  }

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
