package io.kvorum.server.apply;

import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.WriteTxn;

/** What a range or a comparison reads from: a published view, or the transaction under way. */
public interface KeyReader {
  /** Newest revision that reads see. */
  long revision();

  RangeResult range(RangeQuery query);

  /** Newest live record of a key, or null. */
  Record get(byte[] key);

  static KeyReader of(ReadView view) {
    return new KeyReader() {
      @Override
      public long revision() {
        return view.revision();
      }

      @Override
      public RangeResult range(RangeQuery query) {
        return view.range(query);
      }

      @Override
      public Record get(byte[] key) {
        return view.get(key);
      }
    };
  }

  static KeyReader of(WriteTxn txn) {
    return new KeyReader() {
      @Override
      public long revision() {
        return txn.revision();
      }

      @Override
      public RangeResult range(RangeQuery query) {
        return txn.range(query);
      }

      @Override
      public Record get(byte[] key) {
        return txn.get(key);
      }
    };
  }
}
