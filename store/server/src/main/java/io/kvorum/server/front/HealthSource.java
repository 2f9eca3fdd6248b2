package io.kvorum.server.front;

import java.util.List;
import java.util.function.Consumer;

/** What the health endpoints ask of a member. */
public interface HealthSource {
  /** Names of the raised alarms, such as NOSPACE. */
  List<String> alarms();

  boolean hasLeader();

  boolean isLearner();

  /** Reads one key from the newest local state: null, or why it failed. */
  String serializableRead();

  /** Reads one key linearizably; tells null, or why it failed, on any thread. */
  void linearizableRead(Consumer<String> outcome);
}
