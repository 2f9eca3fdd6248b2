package io.kvorum.operator.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.TlsServerCredentials;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.store.StoreAdmin.StoreException.Reason;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Whom the operator trusts. */
class ChannelsTest {
  private final Issuer issuer = new Issuer(new SecureRandom());
  private final KeyPairPem one = issuer.authority("kvorum", Instant.now(), Duration.ofDays(1));
  private final KeyPairPem other = issuer.authority("kvorum", Instant.now(), Duration.ofDays(1));

  /** What came of a call to a member whose certificate is of this authority; the member knows no call, so that one that arrives is refused. */
  private Reason call(KeyPairPem signer, String trusted) throws Exception {
    KeyPairPem leaf = issuer.leaf(signer, new Leaf("m", List.of("localhost"), List.of("127.0.0.1")), Instant.now(), Duration.ofDays(1));
    Server server = Grpc.newServerBuilderForPort(0, TlsServerCredentials.create(stream(leaf.certificate()), stream(leaf.key()))).build().start();
    StoreAccess access = new StoreAccess(Optional.of(new StoreAccess.Tls(trusted, "", "")), Optional.empty());
    try (GrpcStoreAdmin store = new GrpcStoreAdmin(() -> access, Clock.systemUTC())) {
      Endpoint member = new Endpoint("m", "https://127.0.0.1:" + server.getPort());
      Reason reason = Reason.UNAVAILABLE;
      // A busy machine may take longer than the bound of one call for the first handshake.
      for (int attempt = 0; attempt < 5 && reason == Reason.UNAVAILABLE; attempt++) {
        reason = catchThrowableOfType(StoreException.class, () -> store.reload(member)).reason();
      }
      return reason;
    } finally {
      server.shutdownNow();
    }
  }

  private static ByteArrayInputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void twoAuthoritiesOfOneNameAreBothTrusted() throws Exception {
    assertThat(call(one, one.certificate() + other.certificate())).isEqualTo(Reason.REFUSED);
    assertThat(call(other, one.certificate() + other.certificate())).isEqualTo(Reason.REFUSED);
  }

  @Test
  void anotherAuthorityOfTheSameNameIsNot() throws Exception {
    assertThat(call(one, other.certificate())).isEqualTo(Reason.UNAVAILABLE);
  }
}
