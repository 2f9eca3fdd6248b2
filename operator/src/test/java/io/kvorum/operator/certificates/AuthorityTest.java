package io.kvorum.operator.certificates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.operator.observe.Observation.Certificates.Phase;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.junit.jupiter.api.Test;

class AuthorityTest {
  private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
  private static final Leaf LEAF = new Leaf("kv-0", List.of("kv-0", "*.kv-peer.ns.svc", "localhost"), List.of("127.0.0.1", "::1"));

  private final Issuer issuer = new Issuer(new SecureRandom());

  @Test
  void aLeafIsValidUnderItsAuthorityAndCarriesItsNames() throws Exception {
    Authority authority = Authority.create(issuer, "kvorum client kv", NOW);
    KeyPairPem leaf = issuer.leaf(authority.signer(), LEAF, NOW, Authority.LEAF_VALIDITY);

    validate(leaf, authority.bundle(), NOW);
    X509Certificate certificate = leaf.parsed();
    assertThat(certificate.getSubjectAlternativeNames().stream().map(name -> String.valueOf(name.get(1))))
        .contains("kv-0", "*.kv-peer.ns.svc", "localhost", "127.0.0.1");
    assertThat(certificate.getExtendedKeyUsage()).containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
    assertThat(authority.keeps(leaf, LEAF, NOW)).isTrue();
  }

  @Test
  void aLeafIsRenewedWhenAThirdOfItsLifeIsLeftWhenItsNamesChangeAndWhenTheSignerIsAnother() {
    Authority authority = Authority.create(issuer, "a", NOW);
    KeyPairPem leaf = issuer.leaf(authority.signer(), LEAF, NOW, Authority.LEAF_VALIDITY);
    Instant twoThirds = NOW.plus(Authority.LEAF_VALIDITY.multipliedBy(2).dividedBy(3));

    assertThat(authority.keeps(leaf, LEAF, twoThirds.minus(Duration.ofHours(1)))).isTrue();
    assertThat(authority.keeps(leaf, LEAF, twoThirds.plus(Duration.ofHours(1)))).isFalse();
    assertThat(authority.keeps(leaf, new Leaf("kv-0", List.of("other"), List.of()), NOW)).isFalse();
    assertThat(authority.keeps(leaf, new Leaf("kv-1", LEAF.dnsNames(), List.of()), NOW)).isFalse();
    assertThat(Authority.create(issuer, "a", NOW).keeps(leaf, LEAF, NOW)).isFalse();
    assertThat(authority.keeps(new KeyPairPem("", ""), LEAF, NOW)).isFalse();
  }

  @Test
  void aLeafThatCannotOutliveItsAuthorityIsNotRenewedForEver() {
    Instant late = NOW.plus(Authority.VALIDITY).minus(Duration.ofDays(30));
    Authority authority = Authority.create(issuer, "a", NOW);
    KeyPairPem leaf = issuer.leaf(authority.signer(), LEAF, late, Authority.LEAF_VALIDITY);

    assertThat(leaf.notAfter()).isEqualTo(authority.signer().notAfter());
    assertThat(authority.keeps(leaf, LEAF, late.plus(Duration.ofDays(1)))).isTrue();
  }

  @Test
  void inEveryPhaseOfARotationOldAndNewLeavesAreTrustedAsLongAsSomebodyShowsThem() throws Exception {
    Authority before = Authority.create(issuer, "a", NOW);
    KeyPairPem old = issuer.leaf(before.signer(), LEAF, NOW, Authority.LEAF_VALIDITY);

    Authority both = before.to(Phase.TRUST_BOTH, issuer, "a", NOW);
    validate(old, both.bundle(), NOW);
    assertThat(both.keeps(old, LEAF, NOW)).as("the former authority still signs").isTrue();
    assertThat(both.trusted()).hasSize(2);

    Authority reissue = both.to(Phase.REISSUE_LEAVES, issuer, "a", NOW);
    assertThat(reissue.keeps(old, LEAF, NOW)).isFalse();
    KeyPairPem fresh = issuer.leaf(reissue.signer(), LEAF, NOW, Authority.LEAF_VALIDITY);
    validate(old, reissue.bundle(), NOW);
    validate(fresh, reissue.bundle(), NOW);
    validate(fresh, both.bundle(), NOW);
    assertThat(reissue.other().orElseThrow().key()).as("the former key is not needed any more").isEmpty();

    Authority dropped = reissue.to(Phase.DROP_OLD, issuer, "a", NOW);
    validate(fresh, dropped.bundle(), NOW);
    assertThatThrownBy(() -> validate(old, dropped.bundle(), NOW)).isInstanceOf(CertPathValidatorException.class);
    assertThat(dropped.keeps(fresh, LEAF, NOW)).isTrue();
    assertThat(dropped.to(Phase.STABLE, issuer, "a", NOW).phase()).isEqualTo(Phase.STABLE);
  }

  @Test
  void aPhaseIsEnteredOnceAndInOrderOnly() {
    Authority stable = Authority.create(issuer, "a", NOW);
    Authority both = stable.to(Phase.TRUST_BOTH, issuer, "a", NOW);

    assertThat(both.to(Phase.TRUST_BOTH, issuer, "a", NOW)).isSameAs(both);
    assertThatThrownBy(() -> stable.to(Phase.DROP_OLD, issuer, "a", NOW)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> both.to(Phase.DROP_OLD, issuer, "a", NOW)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void leavesAloneAreRenewedUnderTheSameAuthority() {
    Authority stable = Authority.create(issuer, "a", NOW);
    KeyPairPem old = issuer.leaf(stable.signer(), LEAF, NOW, Authority.LEAF_VALIDITY);
    Instant later = NOW.plusSeconds(60);

    Authority reissue = stable.to(Phase.REISSUE_LEAVES, issuer, "a", later);

    assertThat(reissue.bundle()).isEqualTo(stable.bundle());
    assertThat(reissue.keeps(old, LEAF, later)).isFalse();
    KeyPairPem fresh = issuer.leaf(reissue.signer(), LEAF, later, Authority.LEAF_VALIDITY);
    assertThat(reissue.keeps(fresh, LEAF, later)).isTrue();
    assertThat(reissue.to(Phase.STABLE, issuer, "a", later).keeps(fresh, LEAF, later)).isTrue();
  }

  @Test
  void noTextFormShowsAKey() {
    Authority authority = Authority.create(issuer, "a", NOW).to(Phase.TRUST_BOTH, issuer, "a", NOW);

    assertThat(authority.toString()).doesNotContain("PRIVATE").doesNotContain(authority.signer().key());
  }

  private static void validate(KeyPairPem leaf, String trusted, Instant at) throws Exception {
    KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
    anchors.load(null, null);
    int number = 0;
    for (var one :
        CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(trusted.getBytes(StandardCharsets.UTF_8)))) {
      anchors.setCertificateEntry("ca" + number++, one);
    }
    PKIXParameters parameters = new PKIXParameters(anchors);
    parameters.setRevocationEnabled(false);
    parameters.setDate(Date.from(at));
    CertPathValidator.getInstance("PKIX")
        .validate(CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf.parsed())), parameters);
  }
}
