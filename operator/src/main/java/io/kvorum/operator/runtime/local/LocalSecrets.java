package io.kvorum.operator.runtime.local;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Names.Plane;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.runtime.SecretStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Secrets in a folder that this user alone may read, and the certificate files that members and clients take from them: {@code MEMBER/client},
 * {@code MEMBER/peer} and {@code operator} with ca.crt, tls.crt and tls.key, and ca.crt for clients. Read once, written through. For one thread.
 */
final class LocalSecrets implements SecretStore {
  private static final String OWNER = "rwx------";
  private static final List<String> FILES = List.of(Secrets.AUTHORITY, Secrets.KEY, Secrets.CERTIFICATE);

  private final Path folder;
  private final ObjectFiles<Secret> files;
  private final Map<String, Secret> secrets = new TreeMap<>();

  LocalSecrets(Path folder) throws IOException {
    this.folder = folder;
    privately(folder);
    this.files = new ObjectFiles<>(privately(folder.resolve("secrets")), Secret.class);
    files.all().forEach(secret -> secrets.put(secret.getMetadata().getName(), secret));
  }

  private static Path privately(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder.getParent());
      Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER)));
    }
    return folder;
  }

  @Override
  public Map<String, Secret> read(KvorumCluster cluster, Set<String> named) {
    return Map.copyOf(secrets);
  }

  @Override
  public void apply(HasMetadata wanted) {
    try {
      switch (wanted) {
        case Secret secret -> put(secret);
        case ConfigMap trust -> replace(folder.resolve(Secrets.AUTHORITY), trust.getData().get(Secrets.AUTHORITY));
        default -> throw new IllegalArgumentException("no place on this machine for a " + wanted.getKind());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void put(Secret secret) throws IOException {
    if (!secret.equals(secrets.get(secret.getMetadata().getName()))) {
      files.put(secret);
      secrets.put(secret.getMetadata().getName(), secret);
    }
  }

  /** The files of a member, as its secrets have them now; idempotent. */
  void unpack(String member) throws IOException {
    for (Plane plane : Plane.values()) {
      unpack(Names.certificate(member, plane), folder.resolve(member).resolve(plane.text()));
    }
  }

  /** The files of whoever calls members as root; idempotent. */
  void unpackOperator(String cluster) throws IOException {
    unpack(Names.operatorCertificate(cluster), folder.resolve("operator"));
  }

  private void unpack(String name, Path to) throws IOException {
    Secret secret = secrets.get(name);
    if (secret != null) {
      Files.createDirectories(to);
      for (String file : FILES) {
        replace(to.resolve(file), Secrets.value(secret, file));
      }
    }
  }

  private static void replace(Path file, String text) throws IOException {
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Processes.replace(file, text);
    }
  }

  /** Of a member that is gone. */
  void forget(String member) throws IOException {
    for (Plane plane : Plane.values()) {
      String name = Names.certificate(member, plane);
      files.delete(name);
      secrets.remove(name);
    }
    if (Files.exists(folder.resolve(member))) {
      Claims.deleteAll(folder.resolve(member));
    }
  }
}
