package io.kvorum.operator.runtime.local;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The processes that should run, and what a node agent does for them: starts them, starts those again that ended by themselves, and ends those that are
 * deleted, first politely. The table is a file, written before a process is touched and after one was started.
 */
final class ProcessTable {
  /** From the polite request to the kill. */
  static final Duration GRACE = Duration.ofSeconds(20);

  /** Longest wait before a process that keeps ending is started again; the first is one second, doubled each time. */
  static final Duration MAX_BACKOFF = Duration.ofSeconds(30);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final Processes processes;
  private final Launch launch;
  private final InstantSource clock;
  private SortedMap<String, ProcessRecord> records;

  /** Starts the process of a record. */
  interface Launch {
    Processes.Identity start(ProcessRecord record) throws IOException;
  }

  ProcessTable(Path file, Processes processes, Launch launch, InstantSource clock) throws IOException {
    this.file = file;
    this.processes = processes;
    this.launch = launch;
    this.clock = clock;
    this.records = Files.exists(file) ? new TreeMap<>(JSON.readValue(file.toFile(), new TypeReference<Map<String, ProcessRecord>>() {})) : new TreeMap<>();
  }

  Collection<ProcessRecord> all() {
    return records.values();
  }

  Optional<ProcessRecord> get(String member) {
    return Optional.ofNullable(records.get(member));
  }

  boolean isAlive(ProcessRecord record) {
    return processes.isAlive(identity(record));
  }

  /** Adds a record, to be started by the next {@link #tend()}; one that is there stays. */
  void add(ProcessRecord record) throws IOException {
    if (!records.containsKey(record.member())) {
      save(record.member(), record);
    }
  }

  void update(ProcessRecord record) throws IOException {
    if (!record.equals(records.get(record.member()))) {
      save(record.member(), record);
    }
  }

  /** Begins to end the process of this uid; another one's is left alone. */
  void terminate(String member, String uid) throws IOException {
    ProcessRecord record = records.get(member);
    if (record != null && record.uid().equals(uid) && record.terminatingMillis() == 0) {
      update(record.terminating(clock.millis()));
      processes.terminate(identity(record));
    }
  }

  /** One round of a node agent's work; waits for nothing. */
  void tend() throws IOException {
    for (ProcessRecord record : records.values().toArray(ProcessRecord[]::new)) {
      boolean alive = isAlive(record);
      if (record.terminatingMillis() > 0) {
        endOf(record, alive);
      } else if (!alive && record.pid() != 0) {
        update(record.failed(clock.millis()));
      } else if (!alive && clock.millis() >= record.failedMillis() + backoff(record.restarts())) {
        Processes.Identity started = launch.start(record);
        update(record.started(started.pid(), started.startedMillis()));
      }
    }
  }

  private void endOf(ProcessRecord record, boolean alive) throws IOException {
    if (!alive) {
      save(record.member(), null);
    } else if (clock.millis() > record.terminatingMillis() + GRACE.toMillis()) {
      processes.kill(identity(record));
    } else {
      // Asked again in case an earlier run of ours ended between writing and asking.
      processes.terminate(identity(record));
    }
  }

  /** Politely ends all processes and keeps the records, so that the next run starts them again. */
  void suspend() {
    records.values().forEach(record -> processes.terminate(identity(record)));
  }

  /** After {@link #suspend()}: that they have ended is no failure. */
  void suspended() throws IOException {
    for (ProcessRecord record : records.values().toArray(ProcessRecord[]::new)) {
      if (!isAlive(record)) {
        update(record.started(0, 0));
      }
    }
  }

  void kill() {
    records.values().forEach(record -> processes.kill(identity(record)));
  }

  private static long backoff(int restarts) {
    return restarts == 0 ? 0 : Math.min(MAX_BACKOFF.toMillis(), 500L << Math.min(restarts, 10));
  }

  private static Processes.Identity identity(ProcessRecord record) {
    return new Processes.Identity(record.pid(), record.startedMillis());
  }

  /** A table that could not be written stays as it was, here and in the file. */
  private void save(String member, ProcessRecord record) throws IOException {
    SortedMap<String, ProcessRecord> next = new TreeMap<>(records);
    if (record == null) {
      next.remove(member);
    } else {
      next.put(member, record);
    }
    Processes.replace(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(next));
    records = next;
  }
}
