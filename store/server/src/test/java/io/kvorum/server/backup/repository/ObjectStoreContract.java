package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What every place for objects promises. */
abstract class ObjectStoreContract {
  /** Smaller than the objects of {@link #large_content_goes_up_and_down}. */
  static final int PART_BYTES = 5 << 20;

  /** A place that is empty. */
  abstract ObjectStore store() throws IOException;

  static byte[] content(ObjectStore store, String name) throws IOException {
    try (InputStream in = store.open(name)) {
      return in.readAllBytes();
    }
  }

  static void assertReason(Reason reason, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(BackupException.class, e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
  }

  private static List<String> names(ObjectStore store, String prefix) throws IOException {
    return store.list(prefix).stream().map(StoredObject::name).toList();
  }

  @Test
  void what_is_put_is_there() throws IOException {
    try (ObjectStore store = store()) {
      for (int length : new int[] {0, 1, 300_000}) {
        byte[] bytes = Backups.bytes(length, length);
        store.put("segments/a-" + length, Content.of(bytes));

        assertThat(content(store, "segments/a-" + length)).isEqualTo(bytes);
        StoredObject found = store.find("segments/a-" + length).orElseThrow();
        assertThat(found.bytes()).isEqualTo(length);
        // By a clock that may be another machine's.
        assertThat(found.modified()).isBetween(Instant.now().minus(Duration.ofHours(1)), Instant.now().plus(Duration.ofHours(1)));
      }
      assertThat(names(store, "segments/")).containsExactly("segments/a-0", "segments/a-1", "segments/a-300000");
      assertThat(store.list("segments/")).extracting(StoredObject::bytes).containsExactly(0L, 1L, 300_000L);
    }
  }

  @Test
  void what_is_not_there_is_not_found() throws IOException {
    try (ObjectStore store = store()) {
      assertThat(store.find("backups/a.json")).isEmpty();
      assertThat(store.list("backups/")).isEmpty();
      assertReason(Reason.NOT_FOUND, () -> store.open("backups/a.json"));
      store.delete("backups/a.json");
      store.put("backups/a.json", Content.of(new byte[1]));
      assertThat(store.find("backups/a")).isEmpty();
      store.delete("backups/a.json");
      assertThat(store.find("backups/a.json")).isEmpty();
      assertThat(store.list("")).isEmpty();
    }
  }

  @Test
  void an_object_is_replaced_whole() throws IOException {
    try (ObjectStore store = store()) {
      store.put("a", Content.of(Backups.bytes(1, 1000)));
      store.put("a", Content.of(Backups.bytes(2, 10)));
      assertThat(content(store, "a")).isEqualTo(Backups.bytes(2, 10));
      assertThat(store.find("a").orElseThrow().bytes()).isEqualTo(10);
    }
  }

  @Test
  void a_list_has_the_names_with_the_prefix() throws IOException {
    try (ObjectStore store = store()) {
      for (String name : List.of("log/b", "log/a", "log.b", "logs/a", "lo", "backups/x.json")) {
        store.put(name, Content.of(new byte[] {1}));
      }
      assertThat(names(store, "log/")).containsExactly("log/a", "log/b");
      assertThat(names(store, "log")).containsExactly("log.b", "log/a", "log/b", "logs/a");
      assertThat(names(store, "")).hasSize(6);
    }
  }

  @Test
  void large_content_goes_up_and_down() throws IOException {
    try (ObjectStore store = store()) {
      for (int length : new int[] {PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 12_345}) {
        byte[] bytes = Backups.bytes(length, length);
        store.put("segments/large", Content.of(bytes));
        assertThat(content(store, "segments/large")).isEqualTo(bytes);
        assertThat(store.find("segments/large").orElseThrow().bytes()).isEqualTo(length);
      }
    }
  }

  @Test
  void content_that_fails_or_has_another_length_leaves_nothing() throws IOException {
    try (ObjectStore store = store()) {
      for (int length : new int[] {1000, 2 * PART_BYTES}) {
        assertThatThrownBy(() -> store.put("log/a", new Announced(length, length - 1))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.put("log/a", new Announced(length, length + 1))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.put("log/a", new Announced(length, -1))).isInstanceOf(IOException.class);
      }
      assertThat(store.find("log/a")).isEmpty();
      assertThat(store.list("")).isEmpty();
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(2)))).isZero();
    }
  }

  @Test
  void names_that_lead_elsewhere_are_refused() throws IOException {
    try (ObjectStore store = store()) {
      for (String name : List.of("", "/a", "a/", "a//b", "../a", "a/../b", ".partial/a", "a b", "a?b", "ä")) {
        assertThatThrownBy(() -> store.put(name, Content.of(new byte[1]))).as(name).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.open(name)).as(name).isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  /**
   * Content that says one length and has another.
   *
   * @param real -1: it fails half-way
   */
  private record Announced(long bytes, int real) implements Content {
    @Override
    public InputStream open() {
      long limit = real < 0 ? bytes / 2 : real;
      return new InputStream() {
        private long given;

        @Override
        public int read() throws IOException {
          if (given == limit) {
            if (real < 0) {
              throw new IOException("the disk is gone");
            }
            return -1;
          }
          given++;
          return 'x';
        }
      };
    }
  }
}
