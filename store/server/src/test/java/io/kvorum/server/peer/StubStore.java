package io.kvorum.server.peer;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredMember;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** A store that has nothing but snapshot files. */
final class StubStore {
  final Map<String, byte[]> files = new TreeMap<>();
  final Set<String> present = new HashSet<>();
  final AtomicInteger open = new AtomicInteger();
  volatile long index = 7;
  volatile boolean damaged;

  /** Voters 1 and 2, learner 3. */
  MvccStore store() {
    return (MvccStore)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {MvccStore.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "snapshot" -> {
                    open.incrementAndGet();
                    yield new Files();
                  }
                  case "missing" -> missing(arguments[0]);
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private List<String> missing(Object offered) {
    List<String> names = new ArrayList<>();
    for (Object entry : (List<?>) offered) {
      String name = ((SnapshotFiles.Entry) entry).name();
      if (!present.contains(name)) {
        names.add(name);
      }
    }
    return names;
  }

  private static StoredMember member(long id, boolean learner) {
    return StoredMember.newBuilder().setId(id).setIsLearner(learner).build();
  }

  static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private final class Files implements SnapshotFiles {
    @Override
    public MvccStore.Checkpoint checkpoint() {
      MachineState state =
          MachineState.newBuilder().setClusterId(1).addMembers(member(1, false)).addMembers(member(2, false)).addMembers(member(3, true)).build();
      return new MvccStore.Checkpoint(index, 5, 100, state.toByteArray());
    }

    @Override
    public List<Entry> entries() {
      return files.entrySet().stream().map(e -> new Entry(e.getKey(), e.getValue().length, crc(e.getValue()))).toList();
    }

    @Override
    public int read(String name, long offset, ByteBuffer into) throws IOException {
      byte[] bytes = files.get(name);
      int length = (int) Math.min(into.remaining(), bytes.length - offset);
      if (length <= 0) {
        return -1;
      }
      into.put(bytes, (int) offset, length);
      if (damaged) {
        into.put(into.position() - 1, (byte) (into.get(into.position() - 1) ^ 1));
      }
      return length;
    }

    @Override
    public void close() {
      open.decrementAndGet();
    }
  }
}
