package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.TlsSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a file may ask for on this machine, and the reason when it may not. */
class ClusterFileTest {
  private static final String PLAIN = "tls: {client: {mode: Disabled}, peer: {mode: Disabled}}";

  @TempDir Path folder;

  private KvorumClusterSpec read(String lines, KvorumClusterSpec before) throws IOException, ClusterFile.RefusedException {
    Path launcher = folder.resolve("launcher");
    if (!Files.exists(launcher)) {
      assertThat(Files.createFile(launcher).toFile().setExecutable(true)).isTrue();
    }
    Path file = folder.resolve("cluster.yaml");
    Files.writeString(file, "metadata: {name: c}\nspec:\n  version: 1.0.0\n  storage: {size: 1Gi}\n  " + lines + "\n");
    return ClusterFile.read(file, before, new Builds(Map.of("1.0.0", launcher))).getSpec();
  }

  @Test
  void tlsIsManagedUnlessTheFileSaysOtherwise() throws Exception {
    assertThat(read("replicas: 1", null).tls().client().mode()).isEqualTo(TlsSpec.Mode.MANAGED);
    assertThat(read("auth: {enabled: true}", null).wantsAuth()).isTrue();
    assertThat(read(PLAIN, null).tls().peer().on()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "tls: {client: {mode: Secret, secretRef: s}} | certificates on this machine are the operator's own",
    "tls: {peer: {mode: CertManager, issuerRef: {name: i}}} | certificates on this machine are the operator's own",
    "{tls: {client: {mode: Disabled}}, auth: {enabled: true}} | auth needs TLS for clients",
    "auth: {enabled: true, rootCredentialsSecretRef: s} | rootCredentialsSecretRef is for Kubernetes",
    "replicas: 2 | spec.replicas is 1, 3, 5 or 7", "deletion: {finalBackup: true} | no Jobs run on this machine"
  })
  void whatThisMachineCannotDoIsRefusedWithTheReason(String lines, String reason) {
    String fields = lines.startsWith("{") ? lines.substring(1, lines.length() - 1).replace("}}, ", "}}\n  ") : lines;
    assertThatThrownBy(() -> read(fields, null)).isInstanceOf(ClusterFile.RefusedException.class).hasMessageContaining(reason);
  }

  @Test
  void tlsStaysAsItBegan() throws Exception {
    KvorumClusterSpec plain = read(PLAIN, null);
    assertThatThrownBy(() -> read("replicas: 3", plain)).hasMessageContaining("TLS cannot be switched on or off later");
    KvorumClusterSpec secured = read("replicas: 3", null);
    assertThatThrownBy(() -> read(PLAIN, secured)).hasMessageContaining("TLS cannot be switched on or off later");
    assertThat(read("tls: {client: {clientAuth: Required}}", secured).tls().client().clientAuth()).isEqualTo(TlsSpec.ClientAuth.REQUIRED);
    assertThat(ClusterFile.changes(plain, secured)).hasSize(1);
  }
}
