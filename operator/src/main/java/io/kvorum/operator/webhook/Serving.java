package io.kvorum.operator.webhook;

import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.time.Duration;
import java.time.Instant;

/**
 * What the webhook shows, and the authority behind it, which signs for nothing else. A certificate is renewed when a third of its life is left, the authority when it
 * could not cover another one; that goes in phases, each long enough for every replica to read it and every API server to trust it.
 *
 * @param leaf what every replica shows
 * @param since when the authority's phase began
 */
public record Serving(Authority authority, KeyPairPem leaf, Instant since) {
  /** How long a phase of a rotation lasts at least. */
  public static final Duration PHASE = Duration.ofMinutes(30);

  private static final String NAME = "kvorum webhook ";

  /** The first one. */
  public static Serving create(Issuer issuer, Leaf wanted, Instant now) {
    Authority authority = Authority.create(issuer, name(now), now);
    return new Serving(authority, issuer.leaf(authority.signer(), wanted, now, Authority.LEAF_VALIDITY), now);
  }

  /**
   * What it should be by now; the same when nothing is due.
   *
   * @param trusted the API servers were told to trust all that the present authority's bundle has
   */
  public Serving next(Issuer issuer, Leaf wanted, Instant now, boolean trusted) {
    Phase phase = due(now, trusted);
    Authority moved = authority.to(phase, issuer, name(now), now);
    KeyPairPem shown = moved.keeps(leaf, wanted, now) ? leaf : issuer.leaf(moved.signer(), wanted, now, Authority.LEAF_VALIDITY);
    return new Serving(moved, shown, moved == authority ? since : now);
  }

  private Phase due(Instant now, boolean trusted) {
    boolean rested = !now.isBefore(since.plus(PHASE));
    return switch (authority.phase()) {
      case STABLE -> now.isBefore(authority.signer().notAfter().minus(Authority.LEAF_VALIDITY)) ? Phase.STABLE : Phase.TRUST_BOTH;
      case TRUST_BOTH -> rested && trusted ? Phase.REISSUE_LEAVES : Phase.TRUST_BOTH;
      case REISSUE_LEAVES -> rested ? Phase.DROP_OLD : Phase.REISSUE_LEAVES;
      case DROP_OLD -> Phase.STABLE;
    };
  }

  /** Another one each time, so that the two authorities of a bundle can be told apart. */
  private static String name(Instant now) {
    return NAME + Long.toHexString(now.getEpochSecond());
  }
}
