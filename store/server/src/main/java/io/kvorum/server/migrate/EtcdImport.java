package io.kvorum.server.migrate;

import io.kvorum.bbolt.BoltFormatException;
import io.kvorum.bbolt.BoltReader;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.protocol.internal.MachineState;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * Makes a member's store from an etcd snapshot.
 *
 * <ol>
 *   <li>The digest is compared, unless that is not wanted.
 *   <li>The small buckets are read and checked.
 *   <li>The history is appended row by row; it ends at the highest revision that a row or a compaction mark tells of.
 *   <li>A checkpoint at log index 1 makes it durable: every member of the new cluster begins with the same one.
 *   <li>The store is opened as a member would, and its content hash taken.
 * </ol>
 */
public final class EtcdImport {
  private static final long FIRST_INDEX = 1;
  private static final long FIRST_TERM = 1;
  private static final long FIRST_REVISION = 1;

  private final PrintStream progress;
  private final LongSupplier nanoTime;
  private final Options options;

  /**
   * @param skipHashCheck take a file without digest, or with another one
   * @param bump revisions to add at the end, all before them then counting as compacted; 0 for none
   */
  public record Options(boolean skipHashCheck, long bump) {}

  /**
   * What was imported.
   *
   * @param revision newest
   * @param compactRevision -1 for never
   * @param hash content hash at {@code revision}
   */
  public record Result(
      long puts, long deletions, int leases, int users, int roles, boolean authEnabled, long revision, long compactRevision, long keys, int hash) {}

  /** @param progress where to tell how far it is */
  public EtcdImport(PrintStream progress, LongSupplier nanoTime, Options options) {
    this.progress = progress;
    this.nanoTime = nanoTime;
    this.options = options;
  }

  /**
   * Runs it.
   *
   * @param state who the members are
   * @param store an empty directory
   * @throws RefusedFileException when the file is not taken; the store is then useless
   */
  public Result run(SnapshotFile file, MachineState state, Path store) throws IOException {
    try {
      if (!options.skipHashCheck) {
        if (!file.hasDigest()) {
          throw new RefusedFileException("no digest at its end, so this is no snapshot; a bare data file is taken with --skip-hash-check");
        }
        Progress checking = new Progress(progress, "checking", file.size(), nanoTime);
        file.verify(checking);
        checking.end();
      }
      BoltReader reader = BoltReader.open(file);
      EtcdState found = EtcdState.read(reader);
      HistoryImport history = append(reader, found, state, file.size(), store);
      return opened(store, history, found);
    } catch (BoltFormatException damaged) {
      throw new RefusedFileException(damaged.getMessage());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private HistoryImport append(BoltReader reader, EtcdState found, MachineState state, long size, Path store) throws IOException {
    Progress importing = new Progress(progress, "importing", size, nanoTime);
    try (RevisionLog log = RevisionLog.open(store, MvccOptions.DEFAULT)) {
      HistoryImport history = new HistoryImport(log, importing);
      reader.forEach(EtcdBuckets.KEY, history);
      long revision = Math.max(Math.max(FIRST_REVISION, history.lastMain()), found.compactRevision());
      long floor = found.compactRevision();
      if (options.bump > 0) {
        revision += options.bump;
        floor = revision;
        history.mark(revision, 0);
      }
      MachineState whole = state.toBuilder().setAuth(found.auth().toByteString()).addAllLeases(found.leases()).build();
      log.checkpoint(new RevisionLog.Manifest(FIRST_INDEX, FIRST_TERM, revision, floor, whole.toByteArray()));
      importing.end();
      return history;
    }
  }

  private static Result opened(Path store, HistoryImport history, EtcdState found) throws IOException {
    try (MvccStore opened = MvccStore.open(store, MvccOptions.DEFAULT);
        ReadView view = opened.view()) {
      ReadView.HashResult hash = view.hash(0);
      // From the smallest possible key to the end.
      long keys = view.range(new RangeQuery(new byte[1], new byte[1], 0, 0, true)).count();
      return new Result(
          history.puts(), history.deletions(), found.leases().size(), found.auth().getUsersCount(), found.auth().getRolesCount(), found.auth().getEnabled(),
          view.revision(), view.compactRevision(), keys, hash.hash());
    }
  }
}
