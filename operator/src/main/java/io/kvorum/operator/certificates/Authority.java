package io.kvorum.operator.certificates;

import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * One plane's authority and where its rotation stands. A rotation never leaves a moment in which a member does not trust what another shows:
 *
 * <ol>
 *   <li>{@code TRUST_BOTH}: a successor exists, everybody trusts both, the present one still signs.
 *   <li>{@code REISSUE_LEAVES}: the successor signs, everybody still trusts both.
 *   <li>{@code DROP_OLD}: the former one is gone and trusted by nobody.
 * </ol>
 *
 * <p>Leaves alone are renewed by REISSUE_LEAVES out of STABLE; no successor exists then.
 *
 * @param signer signs leaves now
 * @param leavesAfter leaves that were issued before this moment are issued anew
 * @param other the successor with its key in TRUST_BOTH, the former one without its key in REISSUE_LEAVES, else absent
 */
public record Authority(Phase phase, KeyPairPem signer, Optional<KeyPairPem> other, Instant leavesAfter) {
  /** How long an authority lives. */
  public static final Duration VALIDITY = Duration.ofDays(3650);

  /** How long a leaf lives. It is renewed when a third of this is left. */
  public static final Duration LEAF_VALIDITY = Duration.ofDays(365);

  /** A new authority at rest. */
  public static Authority create(Issuer issuer, String name, Instant now) {
    return new Authority(Phase.STABLE, issuer.authority(name, now, VALIDITY), Optional.empty(), Instant.EPOCH);
  }

  /**
   * The rotation in this phase. Asked for the phase that it is in already it stays as it is; one that does not follow is an {@link IllegalArgumentException}.
   */
  public Authority to(Phase wanted, Issuer issuer, String name, Instant now) {
    if (wanted == phase) {
      return this;
    }
    return switch (wanted) {
      case TRUST_BOTH -> after(wanted, Phase.STABLE, Phase.DROP_OLD).with(wanted, signer, Optional.of(issuer.authority(name, now, VALIDITY)), leavesAfter);
      case REISSUE_LEAVES -> reissue(after(wanted, Phase.STABLE, Phase.TRUST_BOTH), now);
      case DROP_OLD -> after(wanted, Phase.REISSUE_LEAVES).with(wanted, signer, Optional.empty(), leavesAfter);
      case STABLE -> after(wanted, Phase.REISSUE_LEAVES, Phase.DROP_OLD).with(wanted, signer, Optional.empty(), leavesAfter);
    };
  }

  private static Authority reissue(Authority from, Instant now) {
    return from.phase == Phase.STABLE
        ? from.with(Phase.REISSUE_LEAVES, from.signer, Optional.empty(), now)
        : from.with(
            Phase.REISSUE_LEAVES, from.other.orElseThrow(), Optional.of(new KeyPairPem(from.signer.certificate(), "")), from.leavesAfter);
  }

  private Authority with(Phase phase, KeyPairPem signer, Optional<KeyPairPem> other, Instant leavesAfter) {
    return new Authority(phase, signer, other, leavesAfter);
  }

  private Authority after(Phase wanted, Phase... before) {
    if (!List.of(before).contains(phase)) {
      throw new IllegalArgumentException("a rotation goes from " + phase + " not to " + wanted);
    }
    return this;
  }

  /** What members and clients trust now: PEM text of one certificate or two. */
  public String bundle() {
    return signer.certificate() + other.map(KeyPairPem::certificate).orElse("");
  }

  /** Fingerprints of all that is trusted now. */
  public List<String> trusted() {
    List<String> all = new ArrayList<>(List.of(signer.fingerprint()));
    other.ifPresent(one -> all.add(one.fingerprint()));
    return all;
  }

  /** Whether a leaf still serves: of the signer, with these names, and with more than a third of its life left (or no more to be had). */
  public boolean keeps(KeyPairPem leaf, Leaf wanted, Instant now) {
    try {
      X509Certificate certificate = leaf.parsed();
      certificate.verify(signer.parsed().getPublicKey());
      Instant renewal = certificate.getNotAfter().toInstant().minus(LEAF_VALIDITY.dividedBy(3));
      boolean renewable = certificate.getNotAfter().before(signer.parsed().getNotAfter());
      boolean asked = certificate.getNotBefore().toInstant().plus(Issuer.EARLY).isBefore(leavesAfter.truncatedTo(ChronoUnit.SECONDS));
      return !asked
          && (now.isBefore(renewal) || !renewable)
          && certificate.getSubjectX500Principal().getName().equals("CN=" + wanted.commonName())
          && names(certificate).containsAll(wanted.dnsNames());
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  private static Collection<String> names(X509Certificate certificate) throws CertificateParsingException {
    TreeSet<String> names = new TreeSet<>();
    if (certificate.getSubjectAlternativeNames() != null) {
      certificate.getSubjectAlternativeNames().forEach(entry -> names.add(String.valueOf(entry.get(1))));
    }
    return names;
  }
}
