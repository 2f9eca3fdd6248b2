package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.runtime.SecretStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Secrets of the API server. */
final class KubernetesSecrets implements SecretStore {
  private final KubernetesClient client;
  private final Applier applier;

  KubernetesSecrets(KubernetesClient client, Applier applier) {
    this.client = client;
    this.applier = applier;
  }

  @Override
  public Map<String, Secret> read(KvorumCluster cluster, Set<String> named) {
    String namespace = cluster.getMetadata().getNamespace();
    Map<String, Secret> found = new HashMap<>();
    client.secrets().inNamespace(namespace).withLabel(Names.CLUSTER, cluster.getMetadata().getName()).list().getItems()
        .forEach(secret -> found.put(secret.getMetadata().getName(), secret));
    for (String name : named) {
      Secret secret = found.containsKey(name) ? null : client.secrets().inNamespace(namespace).withName(name).get();
      if (secret != null) {
        found.put(name, secret);
      }
    }
    return found;
  }

  @Override
  public void apply(HasMetadata wanted) {
    applier.apply(wanted);
  }
}
