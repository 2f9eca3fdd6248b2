package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JwtTokensTest {
  @TempDir Path directory;
  private final AtomicLong clock = new AtomicLong(1_000_000);

  private static KeyPair pair(String method) throws GeneralSecurityException {
    if (method.startsWith("ES")) {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp" + (method.equals("ES512") ? "521" : method.substring(2)) + "r1"));
      return generator.generateKeyPair();
    }
    if (method.equals("EdDSA")) {
      return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return generator.generateKeyPair();
  }

  private Path pem(String name, String type, byte[] der) throws IOException {
    String text = "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + type + "-----\n";
    return Files.writeString(directory.resolve(name), text);
  }

  private JwtTokens tokens(String flag) {
    return TokenOptions.jwt(flag, text -> Duration.parse("PT" + text), clock::get);
  }

  @ParameterizedTest
  @ValueSource(strings = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
  void tokens_of_each_method_are_recognised_until_they_expire(String method) throws Exception {
    KeyPair pair = pair(method);
    Path open = pem("pub", "PUBLIC KEY", pair.getPublic().getEncoded());
    Path secret = pem("priv", "PRIVATE KEY", pair.getPrivate().getEncoded());
    JwtTokens signing = tokens("jwt,pub-key=" + open + ",priv-key=" + secret + ",sign-method=" + method + ",ttl=10s");
    JwtTokens verifying = tokens("jwt,pub-key=" + open + ",sign-method=" + method);

    String token = signing.sign("bob", 7, "");

    assertThat(verifying.resolve(token, 9)).isEqualTo(Caller.of("bob", 7));
    assertThat(verifying.resolve(token.substring(0, token.length() - 8) + "AAAAAAAA", 9)).isEqualTo(Caller.INVALID);
    clock.addAndGet(10);
    assertThat(verifying.resolve(token, 9)).isEqualTo(Caller.INVALID);
    assertThatThrownBy(() -> verifying.sign("bob", 7, "")).hasMessageContaining("verify-only");
  }

  @Test
  void a_shared_secret_signs_and_verifies() throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "short");
    JwtTokens tokens = tokens("jwt,priv-key=" + secret + ",sign-method=HS256");

    assertThat(tokens.resolve(tokens.sign("bob", 3, ""), 3)).isEqualTo(Caller.of("bob", 3));
    assertThat(tokens.resolve("a.b.c", 3)).isEqualTo(Caller.INVALID);
  }

  @Test
  void a_token_of_another_method_is_worth_nothing() throws Exception {
    KeyPair pair = pair("RS256");
    Path open = pem("pub", "PUBLIC KEY", pair.getPublic().getEncoded());
    Path secret = pem("priv", "PRIVATE KEY", pair.getPrivate().getEncoded());
    JwtTokens rs = tokens("jwt,pub-key=" + open + ",priv-key=" + secret + ",sign-method=RS256");
    JwtTokens hs = tokens("jwt,priv-key=" + open + ",sign-method=HS256");

    assertThat(rs.resolve(hs.sign("root", 1, ""), 1)).isEqualTo(Caller.INVALID);
    String none = Base64.getUrlEncoder().withoutPadding().encodeToString("{\"alg\":\"none\"}".getBytes());
    String claims = Base64.getUrlEncoder().withoutPadding().encodeToString("{\"username\":\"root\",\"revision\":1,\"exp\":9999999999}".getBytes());
    assertThat(rs.resolve(none + "." + claims + ".", 1)).isEqualTo(Caller.INVALID);
  }

  @ParameterizedTest
  @ValueSource(strings = {"jwt", "jwt,sign-method=RS999", "jwt,sign-method=RS256", "jwt,sign-method=RS256,pub-key=/nowhere", "jwt,x"})
  void options_that_cannot_be_used_are_named(String flag) {
    assertThatThrownBy(() -> tokens(flag)).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("auth: ");
  }
}
