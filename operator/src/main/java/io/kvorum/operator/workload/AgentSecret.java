package io.kvorum.operator.workload;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.desired.ServerOptions;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The Secret of a workload's agents, as it is stored. */
public final class AgentSecret {
  /** Label: name of the cluster that it is for. */
  public static final String CLUSTER = Api.GROUP + "/agent-of";

  /** Label: namespace of that cluster. */
  public static final String CLUSTER_NAMESPACE = Api.GROUP + "/agent-of-namespace";

  /** Annotation: name of the workload. */
  public static final String WORKLOAD = Api.GROUP + "/workload";

  /** X.509's bound of a common name. */
  private static final int COMMON_NAME = 64;

  private static final int HASH = 40;

  private AgentSecret() {}

  /**
   * What agents show and trust.
   *
   * @param trusted the authorities of the cluster's members; empty without TLS
   * @param password empty while the cluster has no users
   * @param certificate that clients must show; empty when they need none
   */
  public record Content(String trusted, String password, Optional<KeyPairPem> certificate) {
    @Override
    public String toString() {
      return "Content[password=" + !password.isEmpty() + ", certificate=" + certificate.isPresent() + "]";
    }
  }

  /** The Secret with this content. */
  public static Secret of(Workload workload, ClusterRef cluster, Content content) {
    Map<String, String> data = new LinkedHashMap<>();
    if (!content.trusted().isEmpty()) {
      data.put(Secrets.AUTHORITY, content.trusted());
    }
    if (!content.password().isEmpty()) {
      data.put(Secrets.USERNAME, workload.user());
      data.put(Secrets.PASSWORD, content.password());
    }
    content.certificate().ifPresent(pair -> data.put(Secrets.CERTIFICATE, pair.certificate()));
    content.certificate().ifPresent(pair -> data.put(Secrets.KEY, pair.key()));
    Map<String, String> encoded = new LinkedHashMap<>();
    data.forEach((key, text) -> encoded.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
    return new SecretBuilder()
        .withNewMetadata()
        .withName(workload.secret())
        .withNamespace(workload.namespace())
        .addToLabels("app.kubernetes.io/managed-by", Names.FIELD_MANAGER)
        .addToLabels(CLUSTER, cluster.name())
        .addToLabels(CLUSTER_NAMESPACE, cluster.namespace())
        .addToAnnotations(WORKLOAD, workload.name())
        .endMetadata()
        .withType("Opaque")
        .withData(encoded)
        .build();
  }

  /** What a Secret holds. */
  public static Content content(Secret secret) {
    KeyPairPem pair = Secrets.pair(secret);
    return new Content(
        Secrets.value(secret, Secrets.AUTHORITY), Secrets.value(secret, Secrets.PASSWORD),
        pair.certificate().isEmpty() ? Optional.empty() : Optional.of(pair));
  }

  /** The cluster that a Secret was made for; empty when the operator did not make it. */
  public static Optional<ClusterRef> cluster(Secret secret) {
    Map<String, String> labels = secret.getMetadata().getLabels();
    if (labels == null || !labels.containsKey(CLUSTER) || !labels.containsKey(CLUSTER_NAMESPACE)) {
      return Optional.empty();
    }
    return Optional.of(new ClusterRef(labels.get(CLUSTER_NAMESPACE), labels.get(CLUSTER)));
  }

  /** The workload of a Secret that the operator made; empty for any other. */
  public static Optional<Workload> workload(Secret secret) {
    Map<String, String> annotations = secret.getMetadata().getAnnotations();
    if (annotations == null || !annotations.containsKey(WORKLOAD)) {
      return Optional.empty();
    }
    Workload workload = new Workload(secret.getMetadata().getNamespace(), annotations.get(WORKLOAD));
    return workload.secret().equals(secret.getMetadata().getName()) ? Optional.of(workload) : Optional.empty();
  }

  /**
   * What the certificate of a workload's agents says. Its name is the user's, which the store goes by when a call has no token; one that is too long for a certificate is
   * a hash, which is nobody's name.
   */
  public static Leaf leaf(Workload workload) {
    String user = workload.user();
    String name = user.length() <= COMMON_NAME ? user : Workload.USER_PREFIX + ServerOptions.sha256(user).substring(0, HASH);
    return new Leaf(name, List.of(), List.of());
  }
}
