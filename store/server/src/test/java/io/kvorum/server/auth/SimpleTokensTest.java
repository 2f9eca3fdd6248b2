package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SimpleTokensTest {
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
  private final SimpleTokens tokens = new SimpleTokens(clock::get, 300, new Random(1), 0, 16);

  private static String token(int index) {
    return "abcdefghijklmnop." + (index + 1);
  }

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
    tokens.issued("bob", token(1));
    passSeconds(299);
    assertThat(tokens.resolve(token(1), 7)).isEqualTo(Caller.of("bob", 7));
    passSeconds(299);
    assertThat(tokens.resolve(token(1), 8)).isEqualTo(Caller.of("bob", 8));
    passSeconds(300);
    assertThat(tokens.resolve(token(1), 8)).isEqualTo(Caller.INVALID);
    tokens.sweep();
    assertThat(tokens.size()).isZero();
  }

  @Test
  void a_changed_user_loses_its_tokens_and_nobody_else_does() {
    tokens.issued("bob", token(1));
    tokens.issued("eve", token(2));
    tokens.userChanged("bob");

    assertThat(tokens.resolve(token(1), 1)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve(token(2), 1)).isEqualTo(Caller.of("eve", 1));
    tokens.allEnd();
    assertThat(tokens.resolve(token(2), 1)).isEqualTo(Caller.INVALID);
  }

  @Test
  void the_tokens_that_were_not_used_for_longest_make_room() {
    for (int i = 0; i < 16; i++) {
      tokens.issued("bob", token(i));
      passSeconds(1);
    }
    tokens.resolve(token(0), 1);
    passSeconds(1);
    tokens.issued("bob", token(16));

    assertThat(tokens.size()).isLessThanOrEqualTo(16);
    assertThat(tokens.resolve(token(0), 1)).isEqualTo(Caller.of("bob", 1));
    assertThat(tokens.resolve(token(1), 1)).isEqualTo(Caller.INVALID);
    assertThat(tokens.resolve(token(16), 1)).isEqualTo(Caller.of("bob", 1));
  }

  @Test
  void the_log_ins_of_a_former_process_are_over_when_its_log_is_read_again() {
    SimpleTokens restarted = new SimpleTokens(clock::get, 300, new Random(1), 2, 16);
    restarted.issued("bob", token(1));
    restarted.issued("eve", token(2));
    assertThat(restarted.resolve(token(1), 1)).isEqualTo(Caller.INVALID);
    assertThat(restarted.resolve(token(2), 1)).isEqualTo(Caller.of("eve", 1));
  }
}
