package io.kvorum.server.watch;

import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest.FilterType;
import io.kvorum.server.base.EtcdError;
import java.util.Arrays;

/** How a create request is read, as etcd reads it. */
final class WatchRules {
  private WatchRules() {}

  /**
   * Why the request cannot be met, in etcd's words, or null.
   *
   * @param denied why the caller may not watch this, null when it may; only a negative start revision is looked at before it
   */
  static String refusal(WatchStream stream, WatchCreateRequest request, String denied) {
    if (request.getStartRevision() < 0) {
      return EtcdError.COMPACTED.text();
    }
    if (denied != null) {
      return denied;
    }
    byte[] end = end(request);
    if (end != null && end.length > 0 && Arrays.compareUnsigned(key(request), end) >= 0) {
      return "mvcc: watcher range is empty";
    }
    if (request.getWatchId() != 0 && stream.watcher(request.getWatchId()) != null) {
      return "mvcc: duplicate watch ID provided on the WatchStream";
    }
    return null;
  }

  /** The watcher that is asked for; takes an id of the stream when the request gives none. */
  static Watcher watcher(WatchStream stream, WatchCreateRequest request) {
    long id = request.getWatchId() == 0 ? stream.autoId() : request.getWatchId();
    return new Watcher(stream, id, key(request), end(request), request.getStartRevision(), options(request));
  }

  /** An empty key is the zero byte. */
  private static byte[] key(WatchCreateRequest request) {
    return request.getKey().isEmpty() ? new byte[1] : request.getKey().toByteArray();
  }

  /** An empty end, also one that is explicitly encoded, is the single key: null. One zero byte is no end: empty. */
  private static byte[] end(WatchCreateRequest request) {
    byte[] rangeEnd = request.getRangeEnd().toByteArray();
    if (rangeEnd.length == 0) {
      return null;
    }
    return rangeEnd.length == 1 && rangeEnd[0] == 0 ? new byte[0] : rangeEnd;
  }

  private static Watcher.Options options(WatchCreateRequest request) {
    return new Watcher.Options(
        request.getFiltersList().contains(FilterType.NOPUT),
        request.getFiltersList().contains(FilterType.NODELETE),
        request.getPrevKv(),
        request.getFragment(),
        request.getProgressNotify());
  }
}
