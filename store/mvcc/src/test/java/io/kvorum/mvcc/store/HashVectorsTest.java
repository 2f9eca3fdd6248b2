package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.WriteTxn;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Answers of etcd 3.6 to HashKV over known histories. */
class HashVectorsTest {
  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static VersionedStore store() throws IOException {
    return VersionedStore.open(new MemoryRevisionLog(new MemoryRevisionLog.Disk(), 1), Path.of("memory"));
  }

  @Test
  void emptyStore() throws IOException {
    try (VersionedStore store = store();
        ReadView view = store.view()) {
      assertThat(view.hash(0)).isEqualTo(new ReadView.HashResult(1084519789, -1, 1));
      assertThat(view.hash(-5).hash()).isEqualTo(1084519789);
    }
  }

  /** put a=1; txn put b=2, put c="" with lease 0x77; delete b; put a=3. */
  @ParameterizedTest
  @CsvSource({"5,-1,3831197733", "4,-1,4073892351", "3,-1,2983001717", "5,4,106768027", "4,4,1412039910", "0,4,106768027"})
  void fiveRevisions(long revision, long compacted, long expected) throws IOException {
    try (VersionedStore store = store()) {
      WriteTxn txn = store.begin();
      txn.put(utf8("a"), utf8("1"), 0);
      txn.end();
      txn = store.begin();
      txn.put(utf8("b"), utf8("2"), 0);
      txn.put(utf8("c"), new byte[0], 0x77);
      txn.end();
      txn = store.begin();
      txn.deleteRange(utf8("b"), null);
      txn.end();
      txn = store.begin();
      txn.put(utf8("a"), utf8("3"), 0);
      txn.end();
      if (compacted > 0) {
        store.compact(compacted);
      }
      store.publish();
      try (ReadView view = store.view()) {
        ReadView.HashResult result = view.hash(revision);
        assertThat(Integer.toUnsignedLong(result.hash())).isEqualTo(expected);
        assertThat(result.compactRevision()).isEqualTo(compacted);
        assertThat(result.hashRevision()).isEqualTo(revision == 0 ? 5 : revision);
      }
    }
  }

  /** etcd then hashes the puts that survive compaction, which it otherwise leaves out when they are deleted by the hashed revision. */
  @Test
  void everyKeyDeletedAtTheHashedRevision() throws IOException {
    StoreModel model = new StoreModel();
    try (VersionedStore store = store()) {
      for (String key : new String[] {"a", "b", "a"}) {
        WriteTxn txn = store.begin();
        txn.put(utf8(key), utf8("value"), 0);
        txn.end();
        model.begin();
        model.put(utf8(key), utf8("value"), 0);
        model.end();
      }
      for (String key : new String[] {"a", "b"}) {
        WriteTxn txn = store.begin();
        txn.deleteRange(utf8(key), null);
        txn.end();
        model.begin();
        model.delete(utf8(key));
        model.end();
      }
      store.compact(4);
      store.publish();
      model.compact(4);
      try (ReadView view = store.view()) {
        assertThat(view.hash(6).hash()).isEqualTo(model.hash(6));
        assertThat(view.hash(5).hash()).isEqualTo(model.hash(5)).isNotEqualTo(model.hash(6));
      }
    }
  }

  /** A key that was deleted and put again in one transaction does not count as kept; the value is etcd's. */
  @Test
  void deletedAndPutAgainAtTheHashedRevision() throws IOException {
    try (VersionedStore store = store()) {
      WriteTxn first = store.begin();
      first.put(utf8("a"), utf8("1"), 0);
      first.end();
      WriteTxn both = store.begin();
      both.deleteRange(utf8("a"), null);
      both.put(utf8("a"), utf8("2"), 0);
      both.end();
      store.compact(2);
      store.publish();
      try (ReadView view = store.view()) {
        assertThat(Integer.toUnsignedLong(view.hash(3).hash())).isEqualTo(3830745096L);
      }
    }
  }
}
