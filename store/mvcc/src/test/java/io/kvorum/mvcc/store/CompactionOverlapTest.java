package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.WriteTxn;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A compaction that comes while the pass of the one before is at work. */
class CompactionOverlapTest {
  private static final long WAIT_SECONDS = 20;

  private final AtomicReference<Runnable> duringPass = new AtomicReference<>();

  @Test
  void bytes_in_use_are_exact_when_a_pass_meets_the_next_floor() throws Exception {
    try (VersionedStore store = VersionedStore.open(watched(new MemoryRevisionLog(new MemoryRevisionLog.Disk(), 1)), Path.of("test"))) {
      for (int i = 0; i < 200; i++) {
        WriteTxn txn = store.begin();
        txn.put(("k" + i % 4).getBytes(StandardCharsets.UTF_8), new byte[100], 0);
        txn.end();
      }
      store.publish();
      duringPass.set(() -> {
        store.compact(190);
        store.publish();
      });
      store.compact(50);
      store.publish();
      store.physicalCompaction().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      assertThat(duringPass.get()).as("the first pass met the second floor").isNull();
      store.physicalCompaction().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      store.defragment().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      assertThat(store.sizeInUseBytes()).isEqualTo(store.sizeBytes());
    }
  }

  @Test
  void a_pass_does_not_begin_before_its_floor_is_published() throws Exception {
    try (VersionedStore store = VersionedStore.open(watched(new MemoryRevisionLog(new MemoryRevisionLog.Disk(), 1)), Path.of("test"))) {
      for (int i = 0; i < 200; i++) {
        WriteTxn txn = store.begin();
        txn.put(("k" + i % 4).getBytes(StandardCharsets.UTF_8), new byte[100], 0);
        txn.end();
      }
      store.publish();
      duringPass.set(() -> store.compact(190));
      store.compact(50);
      store.publish();
      store.physicalCompaction().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      CompletableFuture<Void> second = store.physicalCompaction();
      assertThatThrownBy(() -> second.get(200, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
      store.publish();
      second.get(WAIT_SECONDS, TimeUnit.SECONDS);
      store.defragment().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      assertThat(store.sizeInUseBytes()).isEqualTo(store.sizeBytes());
    }
  }

  /** The log, with {@link #duringPass} run once when the compactor looks at the first record that it took out. */
  private RevisionLog watched(RevisionLog log) {
    return proxy(RevisionLog.class, log);
  }

  private <T> T proxy(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              if (method.getName().equals("find") && Thread.currentThread().getName().equals("mvcc-compactor")) {
                Runnable action = duringPass.getAndSet(null);
                if (action != null) {
                  action.run();
                }
              }
              try {
                Object answer = method.invoke(target, arguments);
                return answer instanceof RevisionLog.View view ? proxy(RevisionLog.View.class, view) : answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }
}
