package io.kvorum.operator.webhook;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The form in which {@link Serving} is kept: one Secret, so that what belongs together changes together. */
final class ServingSecret {
  private static final String SINCE = "kvorum.io/phase-since";
  private static final String SIGNER = "signer";
  private static final String OTHER = "other";
  private static final String CERTIFICATE = ".crt";
  private static final String KEY = ".key";

  private ServingSecret() {}

  /** @param before what is there now, whose version it replaces; empty to make it */
  static Secret of(Serving serving, Optional<Secret> before, String namespace, String name) {
    Map<String, String> data = new LinkedHashMap<>();
    put(data, Secrets.CERTIFICATE, serving.leaf().certificate());
    put(data, Secrets.KEY, serving.leaf().key());
    put(data, Secrets.AUTHORITY, serving.authority().bundle());
    put(data, SIGNER + CERTIFICATE, serving.authority().signer().certificate());
    put(data, SIGNER + KEY, serving.authority().signer().key());
    serving.authority().other().ifPresent(other -> {
      put(data, OTHER + CERTIFICATE, other.certificate());
      put(data, OTHER + KEY, other.key());
    });
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName(name)
        .withResourceVersion(before.map(secret -> secret.getMetadata().getResourceVersion()).orElse(null))
        .addToLabels("app.kubernetes.io/managed-by", Names.FIELD_MANAGER)
        .addToAnnotations(Names.ROTATION_PHASE, serving.authority().phase().name())
        .addToAnnotations(Names.LEAVES_AFTER, serving.authority().leavesAfter().toString())
        .addToAnnotations(SINCE, serving.since().toString())
        .endMetadata()
        .withType("kubernetes.io/tls")
        .withData(data)
        .build();
  }

  /** What {@link #of} wrote; empty for a Secret that somebody else wrote, or changed beyond use. */
  static Optional<Serving> read(Secret secret) {
    Map<String, String> annotations = secret.getMetadata().getAnnotations() == null ? Map.of() : secret.getMetadata().getAnnotations();
    try {
      KeyPairPem leaf = Secrets.pair(secret);
      KeyPairPem signer = new KeyPairPem(Secrets.value(secret, SIGNER + CERTIFICATE), Secrets.value(secret, SIGNER + KEY));
      String other = Secrets.value(secret, OTHER + CERTIFICATE);
      leaf.parsed();
      signer.parsed();
      if (leaf.key().isEmpty() || signer.key().isEmpty()) {
        return Optional.empty();
      }
      Authority authority =
          new Authority(
              Phase.valueOf(annotations.getOrDefault(Names.ROTATION_PHASE, "")), signer,
              other.isEmpty() ? Optional.empty() : Optional.of(new KeyPairPem(other, Secrets.value(secret, OTHER + KEY))),
              Instant.parse(annotations.getOrDefault(Names.LEAVES_AFTER, "")));
      authority.trusted();
      return Optional.of(new Serving(authority, leaf, Instant.parse(annotations.getOrDefault(SINCE, ""))));
    } catch (IllegalArgumentException | DateTimeException e) {
      return Optional.empty();
    }
  }

  private static void put(Map<String, String> data, String key, String text) {
    data.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
  }
}
