package io.kvorum.operator.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Secrets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServingKeeperTest {
  private static final Leaf LEAF = new Leaf("kvorum-webhook", List.of("kvorum-operator.kvorum-system.svc"), List.of());

  private final FakeObjects objects = new FakeObjects();
  private Instant now = Instant.parse("2026-03-01T12:00:00Z");
  private final Replica leader = new Replica(true);
  private final Replica other = new Replica(false);

  /** One process of the operator. */
  private final class Replica {
    private final List<KeyPairPem> shown = new ArrayList<>();
    private final ServingKeeper keeper;

    Replica(boolean leads) {
      keeper =
          new ServingKeeper(
              objects, new ServingKeeper.Place("kvorum-system", "webhook", LEAF), new Issuer(new SecureRandom()), () -> now, () -> leads, shown::add);
    }

    KeyPairPem pass() {
      keeper.pass();
      return shown.getLast();
    }
  }

  @Test
  void theLeaderMakesACertificateAndEveryReplicaShowsIt() throws Exception {
    other.keeper.pass();
    assertThat(other.shown).as("nothing is there yet").isEmpty();

    KeyPairPem leaf = leader.pass();

    assertThat(other.pass()).isEqualTo(leaf);
    assertThat(covers(objects.trusted.orElseThrow(), leaf)).isTrue();
    assertThat(leaf.parsed().getSubjectAlternativeNames().iterator().next().get(1)).isEqualTo("kvorum-operator.kvorum-system.svc");
  }

  @Test
  void aPassThatFindsAllAsItShouldBeWritesNothing() {
    leader.pass();
    int writes = objects.writes;
    leader.pass();
    now = now.plus(Duration.ofDays(200));
    leader.pass();

    assertThat(objects.writes).isEqualTo(writes);
    assertThat(leader.shown).hasSize(1);
  }

  @Test
  void aCertificateIsRenewedBeforeItEndsUnderTheSameAuthority() {
    KeyPairPem first = leader.pass();
    String bundle = objects.trusted.orElseThrow();
    now = now.plus(Authority.LEAF_VALIDITY.multipliedBy(2).dividedBy(3)).plus(Duration.ofHours(2));
    assertThat(other.pass()).as("only the leader renews").isEqualTo(first);

    KeyPairPem second = leader.pass();

    assertThat(second).isNotEqualTo(first);
    assertThat(other.pass()).isEqualTo(second);
    assertThat(objects.trusted).contains(bundle);
    assertThat(second.notAfter()).isAfter(now.plus(Authority.LEAF_VALIDITY.minusDays(1)));
  }

  @Test
  void anAuthorityIsReplacedSoThatWhatAReplicaShowsIsTrustedAtEveryMoment() throws Exception {
    leader.pass();
    String old = objects.trusted.orElseThrow();
    now = now.plus(Authority.VALIDITY).minus(Authority.LEAF_VALIDITY).plus(Duration.ofDays(1));
    for (int pass = 0; pass < 600 && (objects.trusted.orElseThrow().contains(old) || Pem.certificates(objects.trusted.orElseThrow()).size() > 1); pass++) {
      KeyPairPem before = other.shown.isEmpty() ? leader.pass() : other.shown.getLast();
      leader.pass();
      assertThat(covers(objects.trusted.orElseThrow(), before)).as("what a replica still shows, pass %d", pass).isTrue();
      other.pass();
      assertThat(covers(objects.trusted.orElseThrow(), other.shown.getLast())).isTrue();
      now = now.plus(Duration.ofMinutes(1));
    }

    assertThat(objects.trusted.orElseThrow()).doesNotContain(old);
    assertThat(Pem.certificates(objects.trusted.orElseThrow())).hasSize(1);
    int writes = objects.writes;
    leader.pass();
    leader.pass();
    assertThat(objects.writes).as("at rest again").isLessThanOrEqualTo(writes + 1);
  }

  @Test
  void noLeafOfANewAuthorityIsShownBeforeTheApiServersTrustIt() throws Exception {
    leader.pass();
    String old = objects.trusted.orElseThrow();
    now = now.plus(Authority.VALIDITY).minus(Authority.LEAF_VALIDITY).plus(Duration.ofDays(1));
    leader.pass();
    objects.trusted = Optional.empty(); // the configuration is gone
    now = now.plus(Duration.ofDays(1));
    assertThatThrownBy(leader.keeper::pass).hasMessage("no configuration");

    assertThat(covers(old, leader.shown.getLast())).isTrue();
  }

  @Test
  void aSecretThatSomebodySpoiledIsMadeAnewAndABundleThatSomebodyTookIsPutBack() throws Exception {
    KeyPairPem first = leader.pass();
    objects.stored.orElseThrow().getData().put(Secrets.CERTIFICATE, "");
    objects.trusted = Optional.of("mine");
    other.keeper.pass();
    assertThat(other.shown).isEmpty();

    KeyPairPem second = leader.pass();

    assertThat(second).isNotEqualTo(first);
    assertThat(covers(objects.trusted.orElseThrow(), second)).isTrue();
    objects.trusted = Optional.of("");
    leader.pass();
    assertThat(covers(objects.trusted.orElseThrow(), second)).isTrue();
  }

  @Test
  void ofTwoThatBothTakeThemselvesForTheLeaderOneIsRefusedAndFollows() {
    Replica rival = new Replica(true);
    KeyPairPem leaf = leader.pass();

    assertThat(rival.pass()).isEqualTo(leaf);
    var stale = objects.stored;
    now = now.plus(Authority.LEAF_VALIDITY);
    KeyPairPem renewed = leader.pass();
    assertThatThrownBy(() -> objects.save(stale.orElseThrow())).hasMessage("conflict");
    assertThat(rival.pass()).isEqualTo(renewed);
  }

  /** Whether somebody who trusts the bundle takes the leaf. */
  private static boolean covers(String bundle, KeyPairPem leaf) throws GeneralSecurityException {
    for (X509Certificate authority : Pem.certificates(bundle)) {
      try {
        leaf.parsed().verify(authority.getPublicKey());
        return true;
      } catch (GeneralSecurityException e) {
        // Perhaps the other one.
      }
    }
    return false;
  }
}
