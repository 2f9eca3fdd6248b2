package io.kvorum.operator.webhook;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.util.Optional;

/** The API server's side: a Secret with versions, and a configuration with a bundle. */
final class FakeObjects implements WebhookObjects {
  Optional<Secret> stored = Optional.empty();
  Optional<String> trusted = Optional.of("");
  int writes;
  private int version;

  @Override
  public Optional<Secret> secret() {
    return stored;
  }

  @Override
  public void save(Secret secret) {
    String before = stored.map(one -> one.getMetadata().getResourceVersion()).orElse(null);
    if (!Optional.ofNullable(before).equals(Optional.ofNullable(secret.getMetadata().getResourceVersion()))) {
      throw new IllegalStateException("conflict");
    }
    writes++;
    stored = Optional.of(new SecretBuilder(secret).editMetadata().withResourceVersion(String.valueOf(++version)).endMetadata().build());
  }

  @Override
  public boolean trusts(String bundle) {
    return trusted.equals(Optional.of(bundle));
  }

  @Override
  public void trust(String bundle) {
    if (trusted.isEmpty()) {
      throw new IllegalStateException("no configuration");
    }
    writes++;
    trusted = Optional.of(bundle);
  }
}
