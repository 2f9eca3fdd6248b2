package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RateLimitTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private long now = 5;
  private long longest;

  private RateLimit limit(long bytesPerSecond) {
    return new RateLimit(
        bytesPerSecond,
        () -> now,
        nanos -> {
          longest = Math.max(longest, nanos);
          now += nanos;
        });
  }

  @Test
  void the_average_is_the_rate_whatever_the_pieces() throws IOException {
    Random random = new Random(1);
    for (int round = 0; round < 50; round++) {
      long rate = 1 + random.nextInt(10_000_000);
      int length = 1 + random.nextInt(1_000_000);
      long begin = now;
      byte[] piece = new byte[1 + random.nextInt(100_000)];
      InputStream in = limit(rate).limit(new ByteArrayInputStream(Backups.bytes(round, length)));
      while (in.read(piece) >= 0) {
        // The other side takes its time, less than the rate would need.
        now += random.nextInt(100);
      }
      double seconds = (now - begin) / (double) SECOND;
      assertThat(seconds).isGreaterThan((double) length / rate - 0.26).isLessThan((double) length / rate + 0.01 * length / rate + 0.3);
    }
  }

  @Test
  void big_reads_become_short_pauses() throws IOException {
    InputStream in = limit(1_000_000).limit(new ByteArrayInputStream(new byte[3_000_000]));
    in.readAllBytes();
    assertThat(longest).isLessThan(SECOND / 2);
    assertThat(now).isGreaterThan(2 * SECOND);
  }

  @Test
  void a_pause_is_not_caught_up_with() throws IOException {
    RateLimit limit = limit(1000);
    now += 100 * SECOND;
    long begin = now;
    limit.passed(1000);
    assertThat(now - begin).isGreaterThan(SECOND / 2);
  }

  @Test
  void without_a_rate_nothing_waits() throws IOException {
    InputStream in = new ByteArrayInputStream(new byte[10]);
    assertThat(RateLimit.NONE.limit(in)).isSameAs(in);
    assertThat(RateLimit.of(0)).isSameAs(RateLimit.NONE);
    RateLimit.NONE.passed(1L << 60);
    assertThatThrownBy(() -> RateLimit.of(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}
