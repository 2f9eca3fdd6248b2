package io.kvorum.server.kv;

import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The same service on the real store. */
class KvServiceOnDiskTest extends KvServiceTest {
  @TempDir Path directory;

  @Override
  MvccStore openStore() throws IOException {
    return MvccStore.open(directory, new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
  }
}
