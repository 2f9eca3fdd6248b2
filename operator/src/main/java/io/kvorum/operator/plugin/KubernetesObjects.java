package io.kvorum.operator.plugin;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** With the rights of the user's kubeconfig. */
final class KubernetesObjects implements Objects {
  private final KubernetesClient client;
  private final String namespace;

  /**
   * @param kubeconfig file, null for the usual ones
   * @param context of the kubeconfig, null for its current one
   * @param namespace null for that of the context
   */
  KubernetesObjects(Path kubeconfig, String context, String namespace) {
    Config config = kubeconfig == null ? Config.autoConfigure(context) : Config.fromKubeconfig(context, read(kubeconfig), kubeconfig.toString());
    this.client = new KubernetesClientBuilder().withConfig(config).build();
    this.namespace = namespace != null ? namespace : config.getNamespace() != null ? config.getNamespace() : "default";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new PluginException("cannot read " + file);
    }
  }

  @Override
  public List<KvorumCluster> clusters() {
    return client.resources(KvorumCluster.class).inNamespace(namespace).list().getItems();
  }

  @Override
  public Optional<KvorumCluster> cluster(String name) {
    return Optional.ofNullable(client.resources(KvorumCluster.class).inNamespace(namespace).withName(name).get());
  }

  @Override
  public Optional<KvorumOperation> operation(String name) {
    return Optional.ofNullable(client.resources(KvorumOperation.class).inNamespace(namespace).withName(name).get());
  }

  @Override
  public void create(KvorumOperation operation) {
    client.resources(KvorumOperation.class).inNamespace(namespace).resource(operation).create();
  }

  @Override
  public List<KvorumBackup> backups(String cluster) {
    return client.resources(KvorumBackup.class).inNamespace(namespace).list().getItems().stream()
        .filter(backup -> backup.getSpec().clusterRef().equals(cluster))
        .toList();
  }

  @Override
  public Optional<KvorumBackup> backup(String name) {
    return Optional.ofNullable(client.resources(KvorumBackup.class).inNamespace(namespace).withName(name).get());
  }

  @Override
  public void create(KvorumBackup backup) {
    client.resources(KvorumBackup.class).inNamespace(namespace).resource(backup).create();
  }

  @Override
  public void close() {
    client.close();
  }
}
