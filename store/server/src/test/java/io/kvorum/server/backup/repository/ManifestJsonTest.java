package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import io.kvorum.server.backup.repository.BackupManifest.Segment;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.State;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import io.kvorum.server.backup.repository.JsonFields.MalformedException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ManifestJsonTest {
  private static final Instant TIME = Instant.parse("2026-01-01T00:00:00.000000001Z");

  private static BackupManifest random(Random random) {
    long from = random.nextInt(1000);
    long index = from;
    List<LogChunk> log = new ArrayList<>();
    String previous = random.nextBoolean() ? "" : Backups.hex(random.nextLong());
    for (int i = random.nextInt(5); i > 0; i--) {
      long last = index + 1 + random.nextInt(100);
      String hex = Backups.hex(random.nextLong());
      log.add(new LogChunk(hex, random.nextInt(1 << 20), index + 1, last, index, last, TIME, TIME.plusMillis(random.nextInt(1000)), previous));
      index = last;
      previous = hex;
    }
    Span span = new Span(from, index, 3, from, index, TIME, TIME.plusSeconds(5), 1);
    if (random.nextBoolean()) {
      List<Segment> segments = List.of(new Segment("a/b", Backups.hex(1), Long.MAX_VALUE, 1, 2), new Segment("c", Backups.hex(2), 0, 3, 3));
      return Backups.manifest("f-1", Type.FULL, span, Optional.empty(), segments, log, Optional.of(new State(Backups.hex(4), 7)));
    }
    return Backups.manifest("d.1", Type.DELTA, span, Optional.of(new Previous("f-1", Backups.hex(5))), List.of(), log, Optional.empty());
  }

  private static String text(BackupManifest manifest) {
    return new String(ManifestJson.encode(manifest, Optional.empty()), StandardCharsets.UTF_8);
  }

  private static void assertRefused(String document, String why) {
    assertThatThrownBy(() -> ManifestJson.decode(document.getBytes(StandardCharsets.UTF_8))).isInstanceOf(MalformedException.class).hasMessageContaining(why);
  }

  @Test
  void what_is_written_is_read() throws Exception {
    Random random = new Random(1);
    for (int round = 0; round < 200; round++) {
      BackupManifest manifest = random(random);
      Optional<String> mac = random.nextBoolean() ? Optional.empty() : Optional.of(Backups.hex(9));
      byte[] document = ManifestJson.encode(manifest, mac);
      ManifestJson.Document read = ManifestJson.decode(document);
      assertThat(read).isEqualTo(new ManifestJson.Document(manifest, mac));
      assertThat(ManifestJson.encode(read.manifest(), read.mac())).isEqualTo(document);
    }
  }

  @Test
  void what_is_cut_off_anywhere_is_refused() {
    byte[] document = ManifestJson.encode(random(new Random(2)), Optional.of(Backups.hex(9)));
    for (int length = 0; length < document.length; length++) {
      byte[] cut = Arrays.copyOf(document, length);
      assertThatThrownBy(() -> ManifestJson.decode(cut)).isInstanceOf(MalformedException.class);
    }
  }

  @Test
  void what_is_not_known_missing_or_of_another_type_is_refused_by_name() {
    String text = text(random(new Random(3)));
    assertRefused(text.replaceFirst("\\{", "{\"surprise\":1,"), "unknown field surprise");
    assertRefused(text.replace("\"term\":3", "\"term\":3,\"surprise\":1"), "unknown field span.surprise");
    assertRefused(text.replace("\"term\":3,", ""), "no field span.term");
    assertRefused(text.replace("\"term\":3", "\"term\":\"3\""), "field span.term: no whole number");
    assertRefused(text.replace("\"term\":3", "\"term\":3.5"), "field span.term: no whole number");
    assertRefused(text.replace("\"term\":3", "\"term\":-3"), "field span.term: no whole number");
    assertRefused(text.replace("\"term\":3", "\"term\":99999999999999999999"), "field span.term: no whole number");
    assertRefused(text.replaceFirst("\"startedAt\":\"[^\"]*\"", "\"startedAt\":\"yesterday\""), "field startedAt: no time");
    assertRefused(text.replaceFirst("\"type\":\"[a-z]*\"", "\"type\":\"half\""), "field type: not known");
    assertRefused(text.replace("\"formatVersion\":1", "\"formatVersion\":2"), "format version 2, this program knows 1");
    assertRefused(text + "{}", "JSON");
    assertRefused("[]", "not one JSON object");
    assertThatThrownBy(() -> ManifestJson.decode(new byte[] {'{', '"', (byte) 0xc3, '"', '}'})).isInstanceOf(MalformedException.class).hasMessage("not UTF-8");
  }

  @Test
  void what_contradicts_itself_is_refused() {
    Span span = new Span(10, 30, 1, 10, 30, TIME, TIME, 0);
    LogChunk first = new LogChunk(Backups.hex(1), 1, 11, 20, 10, 20, TIME, TIME, "");
    LogChunk second = new LogChunk(Backups.hex(2), 1, 21, 30, 20, 30, TIME, TIME, Backups.hex(1));
    LogChunk gap = new LogChunk(Backups.hex(2), 1, 22, 30, 20, 30, TIME, TIME, Backups.hex(1));
    LogChunk foreign = new LogChunk(Backups.hex(2), 1, 21, 30, 20, 30, TIME, TIME, Backups.hex(3));
    LogChunk beyond = new LogChunk(Backups.hex(2), 1, 21, 30, 20, 31, TIME, TIME, Backups.hex(1));
    Optional<Previous> previous = Optional.of(new Previous("a", Backups.hex(5)));
    Optional<State> state = Optional.of(new State(Backups.hex(4), 7));

    assertThat(problem("d", Type.DELTA, span, previous, List.of(first, second), Optional.empty())).isEmpty();
    assertThat(problem("f", Type.FULL, span, Optional.empty(), List.of(first, second), state)).isEmpty();
    assertThat(problem("d", Type.DELTA, span, previous, List.of(first), Optional.empty())).contains("the log ends at index 20, the span at 30");
    assertThat(problem("d", Type.DELTA, span, previous, List.of(second), Optional.empty())).contains("the log has a hole behind index 10");
    assertThat(problem("d", Type.DELTA, span, previous, List.of(first, gap), Optional.empty())).contains("the log has a hole behind index 20");
    assertThat(problem("d", Type.DELTA, span, previous, List.of(first, foreign), Optional.empty())).isPresent();
    assertThat(problem("d", Type.DELTA, span, previous, List.of(first, beyond), Optional.empty())).isPresent();
    assertThat(problem("d", Type.DELTA, span, Optional.empty(), List.of(first, second), Optional.empty())).isPresent();
    assertThat(problem("d", Type.DELTA, span, previous, List.of(first, second), state)).isPresent();
    assertThat(problem("f", Type.FULL, span, previous, List.of(first, second), state)).isPresent();
    assertThat(problem("f", Type.FULL, span, Optional.empty(), List.of(first, second), Optional.empty())).isPresent();
    assertThat(problem("f", Type.FULL, new Span(30, 10, 1, 10, 30, TIME, TIME, 0), Optional.empty(), List.of(), state)).isPresent();
    assertThat(problem("../f", Type.FULL, span, Optional.empty(), List.of(first, second), state)).isPresent();
  }

  private static Optional<String> problem(String id, Type type, Span span, Optional<Previous> previous, List<LogChunk> log, Optional<State> state) {
    return ManifestRules.problem(Backups.manifest(id, type, span, previous, List.of(), log, state));
  }
}
