package io.kvorum.operator.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CronTest {

  @ParameterizedTest
  @CsvSource({
    "0 3 * * *,      UTC,           2026-06-01T03:00:00Z, 2026-06-01T03:00:00Z, 2026-06-02T03:00:00Z",
    "0 3 * * *,      UTC,           2026-06-01T03:00:59Z, 2026-06-01T03:00:00Z, 2026-06-02T03:00:00Z",
    "0 3 * * *,      UTC,           2026-06-01T02:59:59Z, 2026-05-31T03:00:00Z, 2026-06-01T03:00:00Z",
    "0 3 * * *,      Europe/Berlin, 2026-06-01T12:00:00Z, 2026-06-01T01:00:00Z, 2026-06-02T01:00:00Z",
    "*/15 * * * *,   UTC,           2026-06-01T03:16:00Z, 2026-06-01T03:15:00Z, 2026-06-01T03:30:00Z",
    "0 0 1 * *,      UTC,           2026-06-15T00:00:00Z, 2026-06-01T00:00:00Z, 2026-07-01T00:00:00Z",
    "30 6 * * 1,     Asia/Kolkata,  2026-06-03T00:00:00Z, 2026-06-01T01:00:00Z, 2026-06-08T01:00:00Z",
    // Clocks go from 02:00 to 03:00: what names the missing hour is its end, once.
    "30 2 * * *,     Europe/Berlin, 2026-03-29T00:59:59Z, 2026-03-28T01:30:00Z, 2026-03-29T01:00:00Z",
    "30 2 * * *,     Europe/Berlin, 2026-03-29T01:00:00Z, 2026-03-29T01:00:00Z, 2026-03-30T00:30:00Z",
    "*/20 2 * * *,   Europe/Berlin, 2026-03-29T01:00:00Z, 2026-03-29T01:00:00Z, 2026-03-30T00:00:00Z",
    "0 * * * *,      Europe/Berlin, 2026-03-29T00:30:00Z, 2026-03-29T00:00:00Z, 2026-03-29T01:00:00Z",
    // Clocks go back from 03:00 to 02:00: a daily run is one, an hourly one goes through both.
    "30 2 * * *,     Europe/Berlin, 2026-10-25T00:29:00Z, 2026-10-24T00:30:00Z, 2026-10-25T00:30:00Z",
    "30 2 * * *,     Europe/Berlin, 2026-10-25T00:30:00Z, 2026-10-25T00:30:00Z, 2026-10-26T01:30:00Z",
    "30 2 * * *,     Europe/Berlin, 2026-10-25T01:45:00Z, 2026-10-25T00:30:00Z, 2026-10-26T01:30:00Z",
    "30 * * * *,     Europe/Berlin, 2026-10-25T00:45:00Z, 2026-10-25T00:30:00Z, 2026-10-25T01:30:00Z",
    "30 */2 * * *,   Europe/Berlin, 2026-10-25T01:40:00Z, 2026-10-25T01:30:00Z, 2026-10-25T03:30:00Z",
  })
  void theNeighboursOfAMomentAre(String cron, String zone, Instant at, Instant last, Instant next) {
    assertThat(Cron.parse(cron, zone).last(at)).contains(last);
    assertThat(Cron.parse(cron, zone).next(at)).contains(next);
  }

  @Test
  void whatIsWrongIsRefused() {
    for (String wrong : List.of("", "* * * *", "61 * * * *", "* * * * * *", "every day")) {
      assertThatThrownBy(() -> Cron.parse(wrong, "UTC")).isInstanceOf(IllegalArgumentException.class).hasMessage("not a cron expression of five fields: " + wrong);
    }
    assertThatThrownBy(() -> Cron.parse("0 3 * * *", "Mars/Olympus")).isInstanceOf(IllegalArgumentException.class).hasMessage("no such time zone: Mars/Olympus");
  }

  @Test
  void whatNeverComesHasNoMoment() {
    assertThat(Cron.parse("0 0 30 2 *", "UTC").next(Instant.parse("2026-01-01T00:00:00Z"))).isEmpty();
  }

  @Test
  void whatIsDailyIsDailyInEveryZoneAllYear() {
    Random random = new Random(1);
    for (String zone : List.of("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tehran", "UTC", "Africa/Casablanca")) {
      for (int i = 0; i < 6; i++) {
        Cron cron = Cron.parse(random.nextInt(60) + " " + random.nextInt(24) + " * * *", zone);
        Instant at = LocalDate.of(2026, 1, 1).atStartOfDay(ZoneId.of(zone)).toInstant();
        List<LocalDate> days = new ArrayList<>();
        for (int day = 0; day < 366; day++) {
          at = cron.next(at).orElseThrow();
          days.add(LocalDate.ofInstant(at, ZoneId.of(zone)));
        }
        assertThat(days).as(zone).doesNotHaveDuplicates().isSorted();
        assertThat(days.getFirst().plusDays(365)).as(zone).isEqualTo(days.getLast());
      }
    }
  }

  @Test
  void lastAndNextAgreeAndNothingLiesBetween() {
    Random random = new Random(2);
    List<String> minutes = List.of("*", "*/7", "0", "30", "5,35");
    List<String> hours = List.of("*", "*/3", "2", "1-4", "0,12");
    for (int i = 0; i < 400; i++) {
      String expression = minutes.get(random.nextInt(5)) + " " + hours.get(random.nextInt(5)) + " * * *";
      String zone = random.nextBoolean() ? "Europe/Berlin" : "America/New_York";
      Cron cron = Cron.parse(expression, zone);
      Instant around = Instant.parse(random.nextBoolean() ? "2026-03-29T01:00:00Z" : "2026-11-01T06:00:00Z");
      Instant at = around.plusSeconds(random.nextInt(200_000) - 100_000);
      Instant last = cron.last(at).orElseThrow();
      Instant next = cron.next(at).orElseThrow();
      assertThat(last).as(expression).isBeforeOrEqualTo(at);
      assertThat(next).as(expression).isAfter(at);
      assertThat(cron.next(last)).as("%s %s after %s, seen from %s", expression, zone, last, at).contains(next);
      assertThat(cron.last(next)).as(expression).contains(next);
      assertThat(cron.last(next.minusNanos(1))).as("%s %s before %s", expression, zone, next).contains(last);
      assertThat(cron.count(last, next, 10)).isEqualTo(1);
      assertThat(Duration.between(last, next)).as(expression).isPositive();
    }
  }
}
