package io.kvorum.operator.plugin;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;

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
    elliptic(config);
    this.client = new KubernetesClientBuilder().withConfig(config).build();
    this.namespace = namespace != null ? namespace : config.getNamespace() != null ? config.getNamespace() : "default";
  }

  /** The client library takes every key for RSA unless it is told otherwise. */
  private static void elliptic(Config config) {
    String key = config.getClientKeyData() != null
        ? new String(Base64.getDecoder().decode(config.getClientKeyData()), StandardCharsets.US_ASCII)
        : config.getClientKeyFile() == null ? "" : read(Path.of(config.getClientKeyFile()));
    if (isElliptic(key)) {
      config.setClientKeyAlgo("EC");
    }
  }

  /** @param pem a private key in any of its forms, or nothing */
  static boolean isElliptic(String pem) {
    try (PEMParser parser = new PEMParser(new StringReader(pem))) {
      for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
        PrivateKeyInfo key = object instanceof PEMKeyPair pair ? pair.getPrivateKeyInfo() : object instanceof PrivateKeyInfo info ? info : null;
        if (key != null) {
          return key.getPrivateKeyAlgorithm().getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey);
        }
      }
      return false;
    } catch (IOException unreadable) {
      return false; // The client library says what is wrong with it.
    }
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
