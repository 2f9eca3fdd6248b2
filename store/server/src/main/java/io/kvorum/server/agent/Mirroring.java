package io.kvorum.server.agent;

import io.grpc.Channel;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.server.agent.copy.LocalCopy;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;

/** The local copy and the directory that it lies in. */
final class Mirroring implements AutoCloseable {
  private static final Log LOG = Log.of(Mirroring.class);

  private final MirrorSettings settings;
  private final CopyDirectory directory;
  private final LocalCopy copy;

  private Mirroring(MirrorSettings settings, CopyDirectory directory, LocalCopy copy) {
    this.settings = settings;
    this.directory = directory;
    this.copy = copy;
  }

  /**
   * Begins to copy.
   *
   * @throws IOException when the directory cannot be used
   */
  static Mirroring start(MirrorSettings settings, Channel upstream, ScheduledExecutorService timer, RandomGenerator random) throws IOException {
    CopyDirectory directory = CopyDirectory.open(settings.directory());
    LocalCopy.Settings copied = new LocalCopy.Settings(directory.path(), settings.prefixes(), settings.maxBytes(), settings.historyRevisions());
    LocalCopy copy = new LocalCopy(copied, upstream, timer, System::nanoTime, random);
    try {
      copy.start();
    } catch (IOException e) {
      directory.close();
      throw e;
    }
    return new Mirroring(settings, directory, copy);
  }

  MirrorSettings settings() {
    return settings;
  }

  LocalCopy copy() {
    return copy;
  }

  /** Whether callers are served although the cluster does not answer. */
  boolean servesCutOff() {
    if (!settings.staleReads() || !(copy.state() instanceof LocalCopy.State.CutOff)) {
      return false;
    }
    try (ReadView view = copy.store().view()) {
      return view.revision() > 0;
    } catch (StoreClosedException empty) {
      return false;
    }
  }

  @Override
  public void close() {
    copy.close();
    try {
      directory.close();
    } catch (IOException e) {
      LOG.warn("the directory of the copy was not removed", "data-dir", directory.path().toString(), "error", String.valueOf(e.getMessage()));
    }
  }
}
