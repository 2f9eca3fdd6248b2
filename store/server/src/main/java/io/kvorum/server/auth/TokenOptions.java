package io.kvorum.server.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import javax.crypto.spec.SecretKeySpec;

/** Reads {@code --auth-token}: {@code simple}, or {@code jwt,pub-key=FILE,priv-key=FILE,sign-method=METHOD,ttl=DURATION}. */
public final class TokenOptions {
  private static final Duration DEFAULT_TTL = Duration.ofMinutes(5);
  private static final Set<String> METHODS =
      Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA");

  private TokenOptions() {}

  /** Whether this asks for signed tokens. */
  public static boolean isJwt(String flag) {
    return flag.equals("jwt") || flag.startsWith("jwt,");
  }

  /**
   * Signed tokens as the flag says.
   *
   * @param duration reads a duration as Go writes it
   * @throws IllegalArgumentException saying what is wrong with the flag or a key
   */
  public static JwtTokens jwt(String flag, Function<String, Duration> duration, LongSupplier unixSeconds) {
    Map<String, String> options = new HashMap<>();
    for (String part : flag.substring("jwt".length()).split(",")) {
      if (part.isEmpty()) {
        continue;
      }
      int equals = part.indexOf('=');
      if (equals < 0 || options.put(part.substring(0, equals), part.substring(equals + 1)) != null) {
        throw new IllegalArgumentException("auth: invalid auth options");
      }
    }
    String method = options.get("sign-method");
    if (method == null || !METHODS.contains(method)) {
      throw new IllegalArgumentException("auth: invalid signing method " + method);
    }
    Duration ttl = options.containsKey("ttl") ? duration.apply(options.get("ttl")) : DEFAULT_TTL;
    if (ttl.toSeconds() <= 0) {
      throw new IllegalArgumentException("auth: ttl of a token below a second");
    }
    byte[] publicFile = read(options.get("pub-key"));
    byte[] privateFile = read(options.get("priv-key"));
    if (publicFile == null && privateFile == null) {
      throw new IllegalArgumentException("auth: missing key data");
    }
    try {
      return tokens(method, publicFile, privateFile, ttl.toSeconds(), unixSeconds);
    } catch (GeneralSecurityException broken) {
      throw new IllegalArgumentException("auth: unusable key: " + broken.getMessage(), broken);
    }
  }

  private static JwtTokens tokens(String method, byte[] publicFile, byte[] privateFile, long ttlSeconds, LongSupplier unixSeconds)
      throws GeneralSecurityException {
    if (method.startsWith("HS")) {
      if (privateFile == null) {
        throw new IllegalArgumentException("auth: missing key data");
      }
      Key secret = new SecretKeySpec(privateFile, "HmacSHA" + method.substring(2));
      return new JwtTokens(method, secret, secret, ttlSeconds, unixSeconds);
    }
    String family = method.startsWith("ES") ? "EC" : method.equals("EdDSA") ? "Ed25519" : "RSA";
    PrivateKey signing = privateFile == null ? null : PemKeys.privateKey(privateFile, family);
    PublicKey verifying = publicFile == null ? PemKeys.publicKeyOf(signing, privateFile) : PemKeys.publicKey(publicFile, family);
    if (publicFile != null && signing != null && !PemKeys.belong(signing, verifying)) {
      throw new IllegalArgumentException("auth: public and private keys don't match");
    }
    return new JwtTokens(method, signing, verifying, ttlSeconds, unixSeconds);
  }

  private static byte[] read(String file) {
    if (file == null || file.isEmpty()) {
      return null;
    }
    try {
      return Files.readAllBytes(Path.of(file));
    } catch (IOException missing) {
      throw new IllegalArgumentException("auth: cannot read " + file + ": " + missing.getMessage(), missing);
    }
  }
}
