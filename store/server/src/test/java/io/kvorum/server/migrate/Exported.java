package io.kvorum.server.migrate;

import io.kvorum.bbolt.BoltWriter;
import io.kvorum.bbolt.Bucket;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.internal.MachineState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes snapshot files as the service sends them. */
public final class Exported {
  private Exported() {}

  /** The store's newest published state, with a digest. */
  public static Path state(Path file, MvccStore store, MachineState machine) throws IOException {
    try (FrozenState state = new FrozenState(store.view(), machine, 7, 3)) {
      return buckets(file, EtcdContent.of(state));
    }
  }

  /** Any buckets, with a digest. */
  public static Path buckets(Path file, List<Bucket> buckets) throws IOException {
    BoltWriter writer = new BoltWriter(BoltWriter.PAGE_SIZE, buckets);
    ByteArrayOutputStream pages = new ByteArrayOutputStream();
    writer.write(
        writer.plan(),
        part -> {
          byte[] copy = new byte[part.remaining()];
          part.get(copy);
          pages.write(copy);
        });
    try (OutputStream out = Files.newOutputStream(file)) {
      pages.writeTo(out);
      out.write(SnapshotFile.sha256().digest(pages.toByteArray()));
    }
    return file;
  }
}
