package io.kvorum.server.kv;

import io.grpc.stub.ServerCallStreamObserver;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortOrder;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortTarget;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.apply.KeyReader;
import io.kvorum.server.apply.Selection;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * One streamed range: pieces of about a mebibyte, sent while the caller is ready for more.
 *
 * <p>A range in key order is read page by page at one revision, each time from the newest view, so that a slow caller pins nothing; when its revision is compacted
 * meanwhile, the stream ends with COMPACTED. A range that is filtered or sorted otherwise must be read as a whole first, and is sent as one piece.
 */
final class RangeStream {
  private static final int PAGE_RECORDS = 1_024;
  private static final long PIECE_BYTES = 1 << 20;

  private final Kernel kernel;
  private final Supplier<EtcdError> permission;
  private final RangeRequest request;
  private final ServerCallStreamObserver<RangeReply> observer;
  private boolean begun;
  private boolean ended;

  // What the first page settles.
  private ResponseHeader header;
  private long revision;
  private long count;

  // Where the next page begins.
  private byte[] next;
  private long left;

  /**
   * To be made while the call is being taken: later no handler can be set.
   *
   * @param permission null or the refusal; asked once, when the first view is taken
   */
  RangeStream(Kernel kernel, Supplier<EtcdError> permission, RangeRequest request, ServerCallStreamObserver<RangeReply> observer) {
    this.kernel = kernel;
    this.permission = permission;
    this.request = request;
    this.observer = observer;
    this.next = request.getKey().toByteArray();
    this.left = request.getLimit() > 0 ? request.getLimit() : Long.MAX_VALUE;
    observer.setOnCancelHandler(this::end);
    observer.setOnReadyHandler(this::advance);
  }

  private synchronized void end() {
    ended = true;
  }

  /** The range may be read from now on. */
  synchronized void begin() {
    begun = true;
    advance();
  }

  private synchronized void advance() {
    try {
      while (begun && !ended && observer.isReady()) {
        step();
      }
    } catch (RevisionException.Compacted compacted) {
      fail(EtcdError.COMPACTED);
    } catch (RevisionException.Future future) {
      fail(EtcdError.FUTURE_REVISION);
    } catch (RuntimeException broken) {
      ended = true;
      Reply.broken(observer, broken);
    }
  }

  private void fail(EtcdError error) {
    ended = true;
    Reply.fail(observer, error);
  }

  private boolean inKeyOrder() {
    return request.getSortTarget() == SortTarget.KEY
        && request.getSortOrder() != SortOrder.DESCEND
        && !request.getCountOnly()
        && request.getMinModRevision() == 0
        && request.getMaxModRevision() == 0
        && request.getMinCreateRevision() == 0
        && request.getMaxCreateRevision() == 0;
  }

  private void step() {
    ReadView view = kernel.store().view();
    EtcdError refusal = header == null ? permission.get() : null;
    if (refusal != null) {
      view.close();
      fail(refusal);
      return;
    }
    RangeReply reply;
    try {
      reply = inKeyOrder() ? page(view) : whole(view);
    } catch (RuntimeException refused) {
      view.close();
      throw refused;
    }
    // Sending may call back for the next piece, so what follows must not look at the fields again.
    boolean last = ended;
    try (reply) {
      if (reply.refusal() != null) {
        Reply.fail(observer, reply.refusal().asRuntimeException());
        return;
      }
      observer.onNext(reply);
      if (last) {
        observer.onCompleted();
      }
    }
  }

  private RangeReply whole(ReadView view) {
    RangeReply reply = RangeReply.lastPiece(kernel.header(view.revision()), Selection.of(KeyReader.of(view), request), request.getKeysOnly(), view);
    ended = true;
    return reply;
  }

  private RangeReply page(ReadView view) {
    boolean first = header == null;
    long at = first ? request.getRevision() : revision;
    RangeResult page = view.range(new RangeQuery(next, request.getRangeEnd().toByteArray(), at, Math.min(left, PAGE_RECORDS), false));
    if (first) {
      header = kernel.header(view.revision());
      revision = request.getRevision() > 0 ? request.getRevision() : view.revision();
      count = page.count();
    }
    List<Record> piece = cut(page.records());
    left -= piece.size();
    boolean all = piece.size() == page.records().size() && !page.more();
    if (all || left == 0) {
      ended = true;
      return RangeReply.lastPiece(header, new Selection(piece, count, !all), request.getKeysOnly(), view);
    }
    // The smallest key behind the last one.
    byte[] key = piece.getLast().key();
    next = Arrays.copyOf(key, key.length + 1);
    return RangeReply.piece(piece, request.getKeysOnly(), view);
  }

  /** The first records that make a piece; at least one. */
  private static List<Record> cut(List<Record> records) {
    long bytes = 0;
    for (int i = 0; i < records.size(); i++) {
      bytes += records.get(i).length();
      if (bytes > PIECE_BYTES && i > 0) {
        return records.subList(0, i);
      }
    }
    return records;
  }
}
