package io.kvorum.server.auth;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Tokens of 16 random letters and the log index of the log-in. Each member keeps them in memory, up to {@value #TOKENS_MAX}; the ones that end first make room. Each
 * use on a member renews the time there.
 */
public final class SimpleTokens implements Tokens, TokenEvents {
  static final int TOKENS_MAX = 100_000;

  private static final int LETTERS = 16;
  private static final int EVICTED_AT_ONCE = 8;
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

  private final Map<String, Token> tokens = new ConcurrentHashMap<>();
  private final LongSupplier nanoClock;
  private final long ttlNanos;
  private final Random random;
  private final long ended;
  private final int tokensMax;

  /**
   * @param nanoClock monotonic
   * @param ttlSeconds time to live since the last use
   * @param random cannot be foreseen by anybody
   * @param ended log-ins up to this log index are over: they were in the log before this process was
   */
  public SimpleTokens(LongSupplier nanoClock, long ttlSeconds, Random random, long ended) {
    this(nanoClock, ttlSeconds, random, ended, TOKENS_MAX);
  }

  SimpleTokens(LongSupplier nanoClock, long ttlSeconds, Random random, long ended, int tokensMax) {
    this.ended = ended;
    this.nanoClock = nanoClock;
    this.ttlNanos = TimeUnit.SECONDS.toNanos(ttlSeconds);
    this.random = random;
    this.tokensMax = tokensMax;
  }

  private static final class Token {
    private final String user;

    /** When it was last used. */
    private volatile long used;

    Token(String user, long used) {
      this.user = user;
      this.used = used;
    }
  }

  int size() {
    return tokens.size();
  }

  @Override
  public Caller resolve(String token, long revision) {
    Token found = tokens.get(token);
    long now = nanoClock.getAsLong();
    if (found == null || now - found.used >= ttlNanos) {
      return Caller.INVALID;
    }
    found.used = now;
    return Caller.of(found.user, revision);
  }

  @Override
  public long knownFrom(String token) {
    int dot = token.lastIndexOf('.');
    if (dot != LETTERS) {
      return 0;
    }
    try {
      return Math.max(0, Long.parseLong(token, dot + 1, token.length(), 10));
    } catch (NumberFormatException notOurs) {
      return 0;
    }
  }

  @Override
  public String random() {
    StringBuilder letters = new StringBuilder(LETTERS);
    for (int i = 0; i < LETTERS; i++) {
      letters.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return letters.toString();
  }

  @Override
  public String sign(String user, long revision, String replicated) {
    return replicated;
  }

  @Override
  public void issued(String user, String token) {
    if (knownFrom(token) <= ended) {
      return;
    }
    if (tokens.size() >= tokensMax) {
      makeRoom();
    }
    tokens.put(token, new Token(user, nanoClock.getAsLong()));
  }

  private void makeRoom() {
    sweep();
    long now = nanoClock.getAsLong();
    if (tokens.size() >= tokensMax) {
      tokens.entrySet().stream()
          .sorted((a, b) -> Long.compare(now - b.getValue().used, now - a.getValue().used))
          .limit(Math.max(1, tokensMax / EVICTED_AT_ONCE))
          .map(Map.Entry::getKey)
          .toList()
          .forEach(tokens::remove);
    }
  }

  @Override
  public void userChanged(String user) {
    tokens.values().removeIf(token -> token.user.equals(user));
  }

  @Override
  public void allEnd() {
    tokens.clear();
  }

  @Override
  public void sweep() {
    long now = nanoClock.getAsLong();
    tokens.values().removeIf(token -> now - token.used >= ttlNanos);
  }
}
