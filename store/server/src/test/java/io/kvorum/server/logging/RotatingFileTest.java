package io.kvorum.server.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingFileTest {
  @TempDir Path directory;

  private Instant now = Instant.parse("2026-01-31T23:59:59.5Z");

  private final Clock clock =
      new Clock() {
        @Override
        public ZoneId getZone() {
          return ZoneOffset.ofHours(2);
        }

        @Override
        public Clock withZone(ZoneId zone) {
          throw new UnsupportedOperationException();
        }

        @Override
        public Instant instant() {
          return now;
        }
      };

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static void line(RotatingFile file, char letter) throws IOException {
    file.write((String.valueOf(letter).repeat(9) + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private RotatingFile open(Rotation rotation) throws IOException {
    return new RotatingFile(directory.resolve("etcd.log"), rotation, clock);
  }

  @Test
  void a_full_file_is_set_aside_under_its_time_and_no_line_is_split() throws IOException {
    try (RotatingFile file = open(new Rotation(25, 0, 0, false, false))) {
      for (char letter = 'a'; letter <= 'e'; letter++) {
        line(file, letter);
      }
    }
    assertThat(names()).containsExactly("etcd-2026-01-31T23-59-59.500.log", "etcd-2026-01-31T23-59-59.501.log", "etcd.log");
    assertThat(directory.resolve("etcd-2026-01-31T23-59-59.500.log")).hasContent("aaaaaaaaa\nbbbbbbbbb");
    assertThat(directory.resolve("etcd.log")).hasContent("eeeeeeeee");
  }

  @Test
  void an_existing_file_is_gone_on_with() throws IOException {
    for (char letter = 'a'; letter <= 'c'; letter++) {
      try (RotatingFile file = open(new Rotation(25, 0, 0, true, false))) {
        line(file, letter);
      }
    }
    assertThat(names()).containsExactly("etcd-2026-02-01T01-59-59.500.log", "etcd.log");
  }

  @Test
  void too_many_and_too_old_ones_are_deleted_and_other_files_left_alone() throws IOException {
    Files.writeString(directory.resolve("etcd-notes.log"), "mine");
    Files.writeString(directory.resolve("etcd-2025-01-01T00-00-00.000.log"), "old");
    try (RotatingFile file = open(new Rotation(10, 30, 2, false, false))) {
      for (char letter = 'a'; letter <= 'e'; letter++) {
        line(file, letter);
        now = now.plus(Duration.ofDays(1));
      }
    }
    assertThat(names()).containsExactly("etcd-2026-02-03T23-59-59.500.log", "etcd-2026-02-04T23-59-59.500.log", "etcd-notes.log", "etcd.log");
  }

  @Test
  void what_is_set_aside_is_compressed_when_wanted() throws IOException {
    try (RotatingFile file = open(new Rotation(10, 0, 0, false, true))) {
      line(file, 'a');
      line(file, 'b');
    }
    assertThat(names()).containsExactly("etcd-2026-01-31T23-59-59.500.log.gz", "etcd.log");
    try (var in = new GZIPInputStream(Files.newInputStream(directory.resolve("etcd-2026-01-31T23-59-59.500.log.gz")))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("aaaaaaaaa\n");
    }
  }
}
