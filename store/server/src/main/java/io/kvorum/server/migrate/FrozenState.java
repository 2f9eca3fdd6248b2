package io.kvorum.server.migrate;

import io.kvorum.mvcc.ReadView;
import io.kvorum.protocol.internal.MachineState;
import java.util.concurrent.CompletableFuture;

/**
 * All that a member holds as of one log entry. Pins the history until closed.
 *
 * @param view the history
 * @param machine everything beside it
 * @param index of that entry
 * @param term of that entry
 */
public record FrozenState(ReadView view, MachineState machine, long index, long term) implements AutoCloseable {
  /** Where to get it from. */
  @FunctionalInterface
  public interface Source {
    /** The newest one; fails with IllegalStateException while the member stops. Any thread. */
    CompletableFuture<FrozenState> freeze();
  }

  @Override
  public void close() {
    view.close();
  }
}
