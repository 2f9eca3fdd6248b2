package io.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoSyntaxTest {
  private static final long SEED = Long.getLong("kvorum.seed", 1);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 500);

  @ParameterizedTest
  @CsvSource({"0,0", "5s,5000000000", "1h15m30.5s,4530500000000", "-1ms,-1000000", "+2us,2000", "1.5h,5400000000000", ".5s,500000000", "0s,0"})
  void durations(String text, long nanos) {
    assertThat(GoSyntax.duration(text)).isEqualTo(Duration.ofNanos(nanos));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "s", "5 s", "1x", "1.2.3s", "-", ".s", "9999999999h", "5s5"})
  void no_durations(String text) {
    assertThatThrownBy(() -> GoSyntax.duration(text)).isInstanceOf(IllegalArgumentException.class).hasMessage("parse error");
  }

  @ParameterizedTest
  @CsvSource({"0,0", "17,17", "0x1f,31", "010,8", "0b11,3", "1_000,1000", "-5,-5", "+5,5"})
  void integers(String text, long expected) {
    assertThat(GoSyntax.integer(text, BigInteger.valueOf(-10), BigInteger.valueOf(10_000))).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "1.5", "--1", "0x", "1 ", "10001"})
  void no_integers(String text) {
    assertThatThrownBy(() -> GoSyntax.integer(text, BigInteger.ZERO, BigInteger.valueOf(10_000))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_printed_duration_reads_back() {
    for (int i = 0; i < TRIES; i++) {
      SplittableRandom random = new SplittableRandom(SEED + i);
      Duration duration = Duration.ofNanos(random.nextLong(1L << random.nextInt(51)));
      assertThat(GoSyntax.duration(GoSyntax.text(duration))).as("seed %d", SEED + i).isEqualTo(duration);
    }
  }
}
