package io.kvorum.server.auth;

import io.kvorum.server.base.EtcdError;
import java.security.Key;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.NumericDate;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.lang.JoseException;

/**
 * Signed tokens (JWT) that any member with the key knows: claims {@code username}, {@code revision} (auth revision at the log-in, so that each change of users or roles ends
 * them) and {@code exp}; those that others sign may have no end and a {@code nbf}. Checked signatures are remembered, up to {@value #REMEMBERED_MAX}.
 */
public final class JwtTokens implements Tokens {
  private static final int REMEMBERED_MAX = 10_000;
  private static final int TOKEN_CHARS_MAX = 16 << 10;

  private final String algorithm;
  private final Key signing;
  private final Key verifying;
  private final long ttlSeconds;
  private final LongSupplier unixSeconds;
  private final Map<String, Claims> remembered = new ConcurrentHashMap<>();

  private record Claims(String user, long revision, long expires) {}

  /**
   * @param algorithm as JWT names it, e.g. RS256
   * @param signing null for a member that only verifies
   * @param verifying the same key as signing for HS
   * @param unixSeconds wall clock: the tokens of other members end by it
   */
  JwtTokens(String algorithm, Key signing, Key verifying, long ttlSeconds, LongSupplier unixSeconds) {
    this.algorithm = algorithm;
    this.signing = signing;
    this.verifying = verifying;
    this.ttlSeconds = ttlSeconds;
    this.unixSeconds = unixSeconds;
  }

  @Override
  public Caller resolve(String token, long revision) {
    Claims claims = remembered.get(token);
    if (claims == null) {
      claims = verify(token);
      if (claims == null) {
        return Caller.INVALID;
      }
      if (remembered.size() >= REMEMBERED_MAX) {
        remembered.clear();
      }
      remembered.put(token, claims);
    }
    return claims.expires <= unixSeconds.getAsLong() ? Caller.INVALID : Caller.of(claims.user, claims.revision);
  }

  private Claims verify(String token) {
    if (token.length() > TOKEN_CHARS_MAX) {
      return null;
    }
    try {
      JsonWebSignature signature = signature();
      signature.setCompactSerialization(token);
      signature.setKey(verifying);
      if (!signature.verifySignature()) {
        return null;
      }
      JwtClaims claims = JwtClaims.parse(signature.getPayload());
      String user = claims.getClaimValue("username", String.class);
      Number revision = claims.getClaimValue("revision", Number.class);
      NumericDate expires = claims.getExpirationTime();
      NumericDate begins = claims.getNotBefore();
      if (user == null || user.isEmpty() || revision == null || (begins != null && begins.getValue() > unixSeconds.getAsLong())) {
        return null;
      }
      return new Claims(user, revision.longValue(), expires == null ? Long.MAX_VALUE : expires.getValue());
    } catch (JoseException | InvalidJwtException | MalformedClaimException bad) {
      return null;
    }
  }

  private JsonWebSignature signature() {
    JsonWebSignature signature = new JsonWebSignature();
    signature.setAlgorithmConstraints(new AlgorithmConstraints(AlgorithmConstraints.ConstraintType.PERMIT, algorithm));
    // Key lengths are the user's choice, as in etcd.
    signature.setDoKeyValidation(false);
    return signature;
  }

  @Override
  public long knownFrom(String token) {
    return 0;
  }

  @Override
  public String random() {
    return "";
  }

  @Override
  public String sign(String user, long revision, String replicated) {
    if (signing == null) {
      throw EtcdError.TOKENS_VERIFY_ONLY.exception();
    }
    JwtClaims claims = new JwtClaims();
    claims.setStringClaim("username", user);
    claims.setClaim("revision", revision);
    claims.setExpirationTime(NumericDate.fromSeconds(unixSeconds.getAsLong() + ttlSeconds));
    JsonWebSignature signature = signature();
    signature.setAlgorithmHeaderValue(algorithm);
    signature.setHeader("typ", "JWT");
    signature.setPayload(claims.toJson());
    signature.setKey(signing);
    try {
      return signature.getCompactSerialization();
    } catch (JoseException broken) {
      throw new IllegalStateException("cannot sign a token", broken);
    }
  }

  @Override
  public void sweep() {
    long now = unixSeconds.getAsLong();
    remembered.values().removeIf(claims -> claims.expires <= now);
  }
}
