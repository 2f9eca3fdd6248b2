package io.kvorum.operator.webhook;

import io.fabric8.kubernetes.api.model.Secret;
import java.util.Optional;

/** The two objects that the webhook's certificates live in. */
public interface WebhookObjects {

  /** The Secret of all replicas. */
  Optional<Secret> secret();

  /** Makes the Secret, or replaces the very version that it was read at; fails when somebody else was faster. */
  void save(Secret secret);

  /** Whether the API servers are told to trust exactly this bundle of the webhook. */
  boolean trusts(String bundle);

  /** Tells the API servers to. */
  void trust(String bundle);
}
