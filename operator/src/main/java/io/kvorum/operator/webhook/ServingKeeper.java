package io.kvorum.operator.webhook;

import io.fabric8.kubernetes.api.model.Secret;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Keeps the webhook's certificate, pass by pass: the replica that leads makes and renews it and tells the API servers whom to trust, every replica shows what the
 * Secret has. Passes follow each other; not safe for several threads.
 */
public final class ServingKeeper {
  private final WebhookObjects objects;
  private final Place place;
  private final Issuer issuer;
  private final InstantSource clock;
  private final BooleanSupplier leads;
  private final Consumer<KeyPairPem> shown;
  private Optional<KeyPairPem> present = Optional.empty();

  /**
   * Whose certificate it is.
   *
   * @param leaf names of the webhook's Service
   */
  public record Place(String namespace, String secret, Leaf leaf) {}

  /** @param shown told of each certificate to show from then on */
  public ServingKeeper(WebhookObjects objects, Place place, Issuer issuer, InstantSource clock, BooleanSupplier leads, Consumer<KeyPairPem> shown) {
    this.objects = objects;
    this.place = place;
    this.issuer = issuer;
    this.clock = clock;
    this.leads = leads;
    this.shown = shown;
  }

  /** One pass; one that fails is done again. */
  public void pass() {
    boolean leading = leads.getAsBoolean();
    Optional<Secret> secret = objects.secret();
    Optional<Serving> serving = secret.flatMap(ServingSecret::read);
    if (leading) {
      serving = Optional.of(renewed(secret, serving));
    }
    serving.map(Serving::leaf).filter(leaf -> !Optional.of(leaf).equals(present)).ifPresent(leaf -> {
      shown.accept(leaf);
      present = Optional.of(leaf);
    });
    if (leading) {
      trust(serving.orElseThrow().authority().bundle());
    }
  }

  private Serving renewed(Optional<Secret> secret, Optional<Serving> found) {
    Serving wanted =
        found
            .map(one -> one.next(issuer, place.leaf(), clock.instant(), objects.trusts(one.authority().bundle())))
            .orElseGet(() -> Serving.create(issuer, place.leaf(), clock.instant()));
    if (!Optional.of(wanted).equals(found)) {
      objects.save(ServingSecret.of(wanted, secret, place.namespace(), place.secret()));
    }
    return wanted;
  }

  private void trust(String bundle) {
    if (!objects.trusts(bundle)) {
      objects.trust(bundle);
    }
  }
}
