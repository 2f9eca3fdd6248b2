package io.kvorum.server.backup.repository;

import java.time.Instant;

/** The state of the cluster that is wanted back. */
public sealed interface Target {
  /** The newest that there is. */
  record Latest() implements Target {
    @Override
    public String toString() {
      return "the newest state";
    }
  }

  /** As it was at that revision. */
  record AtRevision(long revision) implements Target {
    @Override
    public String toString() {
      return "revision " + revision;
    }
  }

  /** With everything that was committed up to that time, and nothing that was later. */
  record AtTime(Instant time) implements Target {
    @Override
    public String toString() {
      return "time " + time;
    }
  }
}
