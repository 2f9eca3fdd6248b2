package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SimpleTokensTest {
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
  private final SimpleTokens tokens = new SimpleTokens(clock::get, 300, new Random(1), 16);

  private void passSeconds(long seconds) {
    clock.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }

  @Test
  void a_token_is_sixteen_letters_and_waits_for_its_index() {
    assertThat(tokens.random()).matches("[a-zA-Z]{16}").isNotEqualTo(tokens.random());
    assertThat(tokens.knownFrom(tokens.random() + ".42")).isEqualTo(42);
    assertThat(tokens.knownFrom("no.42")).isZero();
    assertThat(tokens.knownFrom(tokens.random() + ".x")).isZero();
  }

  @Test
  void use_renews_the_time_that_a_token_lives() {
    tokens.issued("bob", "t.1");
    passSeconds(299);
    assertThat(tokens.resolve("t.1", 7)).isEqualTo(Caller.of("bob", 7));
    passSeconds(299);
    assertThat(tokens.resolve("t.1", 8)).isEqualTo(Caller.of("bob", 8));
    passSeconds(300);
    assertThat(tokens.resolve("t.1", 8)).isEqualTo(Caller.INVALID);
    tokens.sweep();
    assertThat(tokens.size()).isZero();
  }

  @Test
  void a_changed_user_loses_its_tokens_and_nobody_else_does() {
    tokens.issued("bob", "t.1");
    tokens.issued("eve", "t.2");
    tokens.userChanged("bob");

    assertThat(tokens.resolve("t.1", 1)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve("t.2", 1)).isEqualTo(Caller.of("eve", 1));
    tokens.allEnd();
    assertThat(tokens.resolve("t.2", 1)).isEqualTo(Caller.INVALID);
  }

  @Test
  void the_tokens_that_were_not_used_for_longest_make_room() {
    for (int i = 0; i < 16; i++) {
      tokens.issued("bob", "t." + i);
      passSeconds(1);
    }
    tokens.resolve("t.0", 1);
    passSeconds(1);
    tokens.issued("bob", "t.16");

    assertThat(tokens.size()).isLessThanOrEqualTo(16);
    assertThat(tokens.resolve("t.0", 1)).isEqualTo(Caller.of("bob", 1));
    assertThat(tokens.resolve("t.1", 1)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve("t.16", 1)).isEqualTo(Caller.of("bob", 1));
  }
}
