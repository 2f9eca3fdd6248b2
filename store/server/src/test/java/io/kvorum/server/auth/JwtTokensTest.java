package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
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

  @ParameterizedTest
  @ValueSource(strings = {"RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
  void the_private_key_alone_is_enough_and_must_fit_a_public_one(String method) throws Exception {
    KeyPair pair = pair(method);
    PrivateKeyInfo info = PrivateKeyInfo.getInstance(pair.getPrivate().getEncoded());
    String kind = "PRIVATE KEY";
    byte[] der = pair.getPrivate().getEncoded();
    if (method.startsWith("ES")) {
      kind = "EC PRIVATE KEY";
      int bits = ((ECPrivateKey) pair.getPrivate()).getParams().getOrder().bitLength();
      ASN1BitString open = SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()).getPublicKeyData();
      der =
          new org.bouncycastle.asn1.sec.ECPrivateKey(bits, ((ECPrivateKey) pair.getPrivate()).getS(), open, info.getPrivateKeyAlgorithm().getParameters())
              .getEncoded();
    }
    Path secret = pem("priv", kind, der);
    Path open = pem("pub", "PUBLIC KEY", pair.getPublic().getEncoded());
    JwtTokens alone = tokens("jwt,priv-key=" + secret + ",sign-method=" + method);
    JwtTokens verifying = tokens("jwt,pub-key=" + open + ",sign-method=" + method);

    String token = alone.sign("bob", 7, "");

    assertThat(alone.resolve(token, 9)).isEqualTo(Caller.of("bob", 7));
    assertThat(verifying.resolve(token, 9)).isEqualTo(Caller.of("bob", 7));
    Path other = pem("other", "PUBLIC KEY", pair(method).getPublic().getEncoded());
    assertThatThrownBy(() -> tokens("jwt,pub-key=" + other + ",priv-key=" + secret + ",sign-method=" + method)).hasMessage("auth: public and private keys don't match");
  }

  @Test
  void tokens_of_others_may_have_no_end_and_begin_later() throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "a secret of more than thirty-two bytes");
    JwtTokens tokens = tokens("jwt,priv-key=" + secret + ",sign-method=HS256");

    assertThat(tokens.resolve(foreign("{\"username\":\"bob\",\"revision\":3}"), 3)).isEqualTo(Caller.of("bob", 3));
    assertThat(tokens.resolve(foreign("{\"username\":\"bob\",\"revision\":3,\"nbf\":1000001}"), 3)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve(foreign("{\"username\":\"bob\"}"), 3)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve(foreign("{\"revision\":3}"), 3)).isEqualTo(Caller.INVALID);
  }

  private static String foreign(String claims) throws GeneralSecurityException {
    Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
    String content = encoder.encodeToString("{\"alg\":\"HS256\"}".getBytes()) + "." + encoder.encodeToString(claims.getBytes());
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec("a secret of more than thirty-two bytes".getBytes(), "HmacSHA256"));
    return content + "." + encoder.encodeToString(mac.doFinal(content.getBytes()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"HS256", "HS384", "HS512"})
  void a_shared_secret_signs_and_verifies(String method) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "short");
    JwtTokens tokens = tokens("jwt,priv-key=" + secret + ",sign-method=" + method);

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
  @ValueSource(strings = {"jwt", "jwt,sign-method=RS999", "jwt,sign-method=RS256", "jwt,sign-method=RS256,pub-key=/nowhere", "jwt,sign-method=none,priv-key=/dev/null", "jwt,x"})
  void options_that_cannot_be_used_are_named(String flag) {
    assertThatThrownBy(() -> tokens(flag)).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("auth: ");
  }
}
