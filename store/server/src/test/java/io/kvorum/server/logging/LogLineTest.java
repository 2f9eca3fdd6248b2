package io.kvorum.server.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class LogLineTest {
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678901234Z");

  private static LogLine line(Level level, String message, Object... pairs) {
    return new LogLine(level, TIME, "io.kvorum.server.process.Server", message, pairs, null);
  }

  @Test
  void a_line_of_json_has_the_keys_of_zap_in_its_order() {
    assertThat(line(Level.INFO, "ready to serve client requests", "took-ms", 12, "ok", true, "name", "a").json())
        .isEqualTo(
            "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:05.678901Z\",\"caller\":\"process/Server\",\"msg\":\"ready to serve client requests\","
                + "\"took-ms\":12,\"ok\":true,\"name\":\"a\"}\n");
  }

  @Test
  void quotes_control_characters_and_broken_surrogates_are_escaped() {
    assertThat(line(Level.INFO, "a\"b\\c\nd\u0001e\ud800f\ud83d\ude00").json()).contains("\"msg\":\"a\\\"b\\\\c\\nd\\u0001e\\ud800f\ud83d\ude00\"");
  }

  @Test
  void lists_maps_and_a_missing_value_are_shown() {
    Map<String, Object> map = new TreeMap<>(Map.of("x", 1, "y", List.of("z")));
    assertThat(line(Level.WARNING, "m", "list", List.of("a", 2), "map", map, "odd").json())
        .contains("\"level\":\"warn\"")
        .endsWith("\"list\":[\"a\",2],\"map\":{\"x\":1,\"y\":[\"z\"]},\"odd\":null}\n");
    assertThat(line(Level.WARNING, "m", "file", Path.of("/a/b"), "files", List.of(Path.of("c"))).json()).endsWith("\"file\":\"/a/b\",\"files\":[\"c\"]}\n");
  }

  @Test
  void the_console_form_is_separated_by_tabs() {
    assertThat(line(Level.SEVERE, "m", "k", "v", "list", List.of(1, 2)).console()).isEqualTo("2026-01-02T03:04:05.678901Z\terror\tprocess/Server\tm\t{\"k\": \"v\", \"list\": [1, 2]}\n");
    assertThat(line(Level.FINE, "m").console()).isEqualTo("2026-01-02T03:04:05.678901Z\tdebug\tprocess/Server\tm\n");
  }

  @Test
  void a_stack_trace_stays_on_the_line() {
    LogLine line = new LogLine(Log.FATAL, TIME, "x", "m", new Object[0], new IllegalStateException("why"));
    assertThat(line.json()).startsWith("{\"level\":\"fatal\"").contains("\"stacktrace\":\"java.lang.IllegalStateException: why\\n").endsWith("\"}\n");
    assertThat(line.json().strip()).doesNotContain("\n");
  }

  @Test
  void records_of_libraries_are_formatted_and_shown_on_each_output() {
    ByteArrayOutputStream first = new ByteArrayOutputStream();
    ByteArrayOutputStream second = new ByteArrayOutputStream();
    LogRecord entry = new LogRecord(Level.INFO, "size {0}");
    entry.setParameters(new Object[] {"12"});
    entry.setLoggerName("io.kvorum.raft.log.SegmentedLog");
    new Logging(true, List.of(first, second)).publish(entry);
    assertThat(first.toString(StandardCharsets.UTF_8)).contains("\"caller\":\"log/SegmentedLog\",\"msg\":\"size 12\"}");
    assertThat(second.toByteArray()).isEqualTo(first.toByteArray());
  }
}
