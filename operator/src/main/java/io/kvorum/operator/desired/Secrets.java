package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.desired.Names.Plane;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Secrets of a cluster, in the form that they are stored in. */
public final class Secrets {
  public static final String CERTIFICATE = "tls.crt";
  public static final String KEY = "tls.key";
  public static final String AUTHORITY = "ca.crt";
  public static final String USERNAME = "username";
  public static final String PASSWORD = "password";
  private static final String TLS_TYPE = "kubernetes.io/tls";
  private static final String OTHER_CERTIFICATE = "other.crt";
  private static final String OTHER_KEY = "other.key";

  private Secrets() {}

  /** An authority; the members cannot read it. */
  public static Secret authority(KvorumCluster cluster, Plane plane, Authority authority) {
    Map<String, String> data = new LinkedHashMap<>();
    data.put(CERTIFICATE, authority.signer().certificate());
    data.put(KEY, authority.signer().key());
    authority.other().ifPresent(other -> data.put(OTHER_CERTIFICATE, other.certificate()));
    authority.other().ifPresent(other -> data.put(OTHER_KEY, other.key()));
    return secret(cluster, Names.authority(cluster.getMetadata().getName(), plane), Names.labels(cluster.getMetadata().getName()), TLS_TYPE, data)
        .editMetadata()
        .addToAnnotations(Names.ROTATION_PHASE, authority.phase().name())
        .addToAnnotations(Names.LEAVES_AFTER, authority.leavesAfter().toString())
        .endMetadata()
        .build();
  }

  /** The authority that {@link #authority} stored. */
  public static Authority authority(Secret secret) {
    Map<String, String> annotations = secret.getMetadata().getAnnotations() == null ? Map.of() : secret.getMetadata().getAnnotations();
    String other = value(secret, OTHER_CERTIFICATE);
    return new Authority(
        Phase.valueOf(annotations.getOrDefault(Names.ROTATION_PHASE, Phase.STABLE.name())),
        pair(secret),
        other.isEmpty() ? Optional.empty() : Optional.of(new KeyPairPem(other, value(secret, OTHER_KEY))),
        Instant.parse(annotations.getOrDefault(Names.LEAVES_AFTER, Instant.EPOCH.toString())));
  }

  /** A leaf beside what its holder trusts. */
  public static Secret leaf(KvorumCluster cluster, String name, Map<String, String> labels, KeyPairPem leaf, String trusted) {
    Map<String, String> data = new LinkedHashMap<>();
    data.put(CERTIFICATE, leaf.certificate());
    data.put(KEY, leaf.key());
    data.put(AUTHORITY, trusted);
    return secret(cluster, name, labels, TLS_TYPE, data).build();
  }

  /** The leaf of a secret; empty texts where it has none. */
  public static KeyPairPem pair(Secret secret) {
    return new KeyPairPem(value(secret, CERTIFICATE), value(secret, KEY));
  }

  /** The password of root. */
  public static Secret credentials(KvorumCluster cluster, String password) {
    String name = cluster.getMetadata().getName();
    return secret(
            cluster, Names.rootCredentials(name), Names.labels(name), "kubernetes.io/basic-auth", Map.of(USERNAME, "root", PASSWORD, password))
        .build();
  }

  /** The secret that holds the password of root; empty while authentication is neither wanted nor in force by the specification. */
  public static String rootCredentials(KvorumCluster cluster) {
    return cluster.rootSecret();
  }

  /** What clients trust, readable by whoever may read ConfigMaps. */
  public static ConfigMap trust(KvorumCluster cluster, String trusted) {
    String name = cluster.getMetadata().getName();
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(Names.trust(name))
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(Names.labels(name))
        .endMetadata()
        .withData(Map.of(AUTHORITY, trusted))
        .build();
  }

  /** A value as text; empty when absent. */
  public static String value(Secret secret, String key) {
    String encoded = secret.getData() == null ? null : secret.getData().get(key);
    return encoded == null ? "" : new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
  }

  private static SecretBuilder secret(KvorumCluster cluster, String name, Map<String, String> labels, String type, Map<String, String> texts) {
    Map<String, String> data = new LinkedHashMap<>();
    texts.forEach((key, text) -> data.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
    return new SecretBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(labels)
        .endMetadata()
        .withType(type)
        .withData(data);
  }

  /** Under which names a member is called on one plane. */
  public static Leaf leafOf(KvorumCluster cluster, String member, Plane plane, Defaults defaults) {
    String name = cluster.getMetadata().getName();
    String namespace = cluster.getMetadata().getNamespace();
    List<String> names = new ArrayList<>(List.of("localhost", member));
    if (namespace == null) {
      // On a machine of its own, without Kubernetes' names.
      return new Leaf(member, names, List.of("127.0.0.1", "::1"));
    }
    services(names, member + "." + Names.peerService(name), namespace, defaults);
    services(names, "*." + Names.peerService(name), namespace, defaults);
    services(names, Names.peerService(name), namespace, defaults);
    if (plane == Plane.CLIENT) {
      services(names, Names.clientService(name), namespace, defaults);
      services(names, Names.externalService(name), namespace, defaults);
    }
    return new Leaf(member, names, List.of("127.0.0.1", "::1"));
  }

  private static void services(List<String> names, String host, String namespace, Defaults defaults) {
    names.add(host);
    names.add(host + "." + namespace);
    names.add(host + "." + namespace + ".svc");
    names.add(host + "." + namespace + ".svc." + defaults.clusterDomain());
  }

  /** The operator's own certificate: the store takes its name for the user root when users are enabled and certificates demanded. */
  public static Leaf operatorLeaf() {
    return new Leaf("root", List.of(), List.of());
  }

  /** An order at cert-manager, which answers by a secret of the same name and form as the operator's own. */
  public static GenericKubernetesResource order(
      KvorumCluster cluster, TlsSpec.Plane tls, String name, Map<String, String> labels, Leaf leaf) {
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("secretName", name);
    spec.put("commonName", leaf.commonName());
    if (!leaf.dnsNames().isEmpty()) {
      spec.put("dnsNames", leaf.dnsNames());
      spec.put("ipAddresses", leaf.addresses());
    }
    spec.put("usages", List.of("digital signature", "server auth", "client auth"));
    spec.put("privateKey", Map.of("algorithm", "ECDSA", "size", 256, "encoding", "PKCS8", "rotationPolicy", "Always"));
    spec.put("issuerRef", Map.of("name", tls.issuerRef().name(), "kind", tls.issuerRef().kind(), "group", tls.issuerRef().group()));
    spec.put("secretTemplate", Map.of("labels", labels));
    return new GenericKubernetesResourceBuilder()
        .withApiVersion("cert-manager.io/v1")
        .withKind("Certificate")
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(labels)
        .endMetadata()
        .addToAdditionalProperties("spec", spec)
        .build();
  }
}
