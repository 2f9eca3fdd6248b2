package io.kvorum.server.apply;

import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.raft.Membership;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.kv.RandomLog;
import io.kvorum.server.lease.Lessor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member whose state is replaced by another one's snapshot goes on as that one does. */
class InstallTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint());

  @TempDir Path directory;
  private final List<Long> replaced = new ArrayList<>();

  private final class Recorder implements ChangeListener {
    @Override
    public void published(long revision, List<Change> changes) {}

    @Override
    public void compacted(long compactRevision) {}

    @Override
    public void replaced(long revision) {
      replaced.add(revision);
    }
  }

  private DirectLog member(MvccStore store) {
    return new DirectLog(store, new Lessor(() -> 0), new Recorder());
  }

  private static void run(DirectLog log, long seed, int requests) {
    RandomLog random = new RandomLog(seed);
    for (int i = 0; i < requests; i++) {
      try {
        log.call(random.next(log.store.revision()));
      } catch (StatusRuntimeException refused) {
        // As good an entry as any.
      }
    }
  }

  private Path receive(MvccStore from, MvccStore to) throws IOException {
    Path received = Files.createDirectories(directory.resolve("received"));
    try (SnapshotFiles files = from.snapshot()) {
      List<String> missing = to.missing(files.entries());
      for (SnapshotFiles.Entry entry : files.entries()) {
        if (missing.contains(entry.name())) {
          copy(files, entry, received.resolve(entry.name()));
        }
      }
    }
    return received;
  }

  private static void copy(SnapshotFiles files, SnapshotFiles.Entry entry, Path to) throws IOException {
    try (FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
      for (long at = 0; at < entry.length(); ) {
        buffer.clear();
        int read = files.read(entry.name(), at, buffer);
        assertThat(read).isPositive();
        buffer.flip();
        while (buffer.hasRemaining()) {
          at += out.write(buffer);
        }
      }
    }
  }

  private static int hash(MvccStore store) {
    try (ReadView view = store.view()) {
      return view.hash(0).hash();
    }
  }

  @Test
  void theReceiverHoldsTheSendersStateAndGoesOnFromThere() throws IOException {
    try (MvccStore ahead = MvccStore.open(directory.resolve("ahead"), OPTIONS);
        MvccStore behind = MvccStore.open(directory.resolve("behind"), OPTIONS)) {
      DirectLog sender = member(ahead);
      run(sender, 7, 800);
      SnapshotMeta meta = new SnapshotMeta(sender.machine.appliedIndex(), 1, Membership.EMPTY);
      sender.machine.checkpoint(meta);
      DirectLog receiver = member(behind);
      run(receiver, 8, 100);
      receiver.machine.install(meta, receive(ahead, behind));
      assertThat(replaced).containsExactly(ahead.revision());
      assertThat(receiver.machine.appliedIndex()).isEqualTo(meta.index());
      assertThat(receiver.machine.state()).isEqualTo(sender.machine.state());
      assertThat(behind.revision()).isEqualTo(ahead.revision());
      assertThat(behind.compactRevision()).isEqualTo(ahead.compactRevision());
      assertThat(hash(behind)).isEqualTo(hash(ahead));
      run(sender, 9, 300);
      DirectLog.replay(sender.entries, receiver.machine, 11);
      assertThat(receiver.machine.state()).isEqualTo(sender.machine.state());
      assertThat(hash(behind)).isEqualTo(hash(ahead));
    }
  }

  @Test
  void aSnapshotThatIsNotTheAnnouncedOneIsNoticed() throws IOException {
    try (MvccStore ahead = MvccStore.open(directory.resolve("ahead"), OPTIONS);
        MvccStore behind = MvccStore.open(directory.resolve("behind"), OPTIONS)) {
      DirectLog sender = member(ahead);
      sender.call(log(put("a", "1")));
      sender.machine.checkpoint(new SnapshotMeta(1, 1, Membership.EMPTY));
      DirectLog receiver = member(behind);
      Path received = receive(ahead, behind);
      assertThatThrownBy(() -> receiver.machine.install(new SnapshotMeta(2, 1, Membership.EMPTY), received)).isInstanceOf(IllegalStateException.class);
    }
  }
}
