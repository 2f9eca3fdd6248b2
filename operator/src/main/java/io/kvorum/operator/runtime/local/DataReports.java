package io.kvorum.operator.runtime.local;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.kvorum.operator.observe.Observation.DataReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What was found in the data directories of members that do not run. Kept in a file: looking again costs seconds a member. For one thread. */
final class DataReports {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final SortedMap<String, Stored> reports;

  private record Stored(long atMillis, boolean readable, long lastTerm, long lastIndex, long revision) {}

  DataReports(Path file) throws IOException {
    this.file = file;
    this.reports = Files.exists(file) ? new TreeMap<>(JSON.readValue(file.toFile(), new TypeReference<Map<String, Stored>>() {})) : new TreeMap<>();
  }

  List<DataReport> all() {
    return reports.entrySet().stream()
        .map(
            entry -> {
              Stored stored = entry.getValue();
              Instant at = Instant.ofEpochMilli(stored.atMillis());
              return new DataReport(entry.getKey(), at, stored.readable(), stored.lastTerm(), stored.lastIndex(), stored.revision());
            })
        .toList();
  }

  void put(DataReport report) throws IOException {
    reports.put(report.member(), new Stored(report.at().toEpochMilli(), report.readable(), report.lastTerm(), report.lastIndex(), report.revision()));
    save();
  }

  /** The member runs again, so that what was found counts no more. */
  void remove(String member) throws IOException {
    if (reports.remove(member) != null) {
      save();
    }
  }

  private void save() throws IOException {
    Processes.replace(file, JSON.writeValueAsString(reports));
  }
}
