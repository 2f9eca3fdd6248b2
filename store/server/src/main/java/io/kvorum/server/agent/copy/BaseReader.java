package io.kvorum.server.agent.copy;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Reads a base: (1) the first page, linearizable, fixes the revision; (2) every other page of every prefix is read at that revision, linearizable too, so that no member that
 * lags behind it is asked in vain; (3) all pairs are put in the order of their mod_revision, in which a store takes them.
 *
 * <p>Pages aim at {@value #PAGE_BYTES} bytes. One base at a time; belongs to the executor's thread.
 */
final class BaseReader {
  private static final int PAGE_BYTES = 1 << 20;
  private static final int FIRST_PAGE_KEYS = 64;
  private static final int PAGE_KEYS_MAX = 1_024;
  private static final int GROWTH = 4;
  private static final long CALL_SECONDS = 15;
  private static final ByteString AFTER = ByteString.copyFrom(new byte[1]);

  private final Channel channel;
  private final List<Span> spans;
  private final long bytesMax;
  private final Executor executor;
  private final CompletableFuture<Base> result = new CompletableFuture<>();
  private final List<Change> pairs = new ArrayList<>();
  private ResponseHeader header;
  private int span;
  private ByteString next;
  private long pageKeys = FIRST_PAGE_KEYS;
  private long bytes;

  /** The pairs take more than the copy may. */
  static final class TooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final long bytes;

    TooLargeException(long bytes) {
      super("the mirrored pairs take more than " + bytes + " bytes");
      this.bytes = bytes;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /** @param bytesMax of all encoded pairs */
  BaseReader(Channel channel, List<Span> spans, long bytesMax, Executor executor) {
    this.channel = channel;
    this.spans = spans;
    this.bytesMax = bytesMax;
    this.executor = executor;
    this.next = spans.getFirst().rangeKey();
  }

  /** Fails with the status of a call that failed, or with {@link TooLargeException}. Completes on the executor. */
  CompletableFuture<Base> read() {
    page();
    return result;
  }

  void cancel() {
    result.cancel(false);
  }

  private void page() {
    RangeRequest request =
        RangeRequest.newBuilder()
            .setKey(next)
            .setRangeEnd(spans.get(span).rangeEnd())
            .setLimit(pageKeys)
            .setRevision(header == null ? 0 : header.getRevision())
            .build();
    Calls.unary(channel, KVGrpc.getRangeMethod(), request, CALL_SECONDS)
        .whenCompleteAsync(
            (answer, failure) -> {
              if (failure != null) {
                result.completeExceptionally(failure);
              } else if (!result.isDone()) {
                take(answer);
              }
            },
            executor);
  }

  private void take(RangeResponse answer) {
    header = header == null ? answer.getHeader() : header;
    long before = bytes;
    for (KeyValue pair : answer.getKvsList()) {
      Change change = Changes.put(pair, 0);
      bytes += change.encoded().length;
      pairs.add(change);
    }
    if (bytes > bytesMax) {
      result.completeExceptionally(new TooLargeException(bytesMax));
      return;
    }
    if (answer.getMore() && answer.getKvsCount() > 0) {
      long average = Math.max(1, (bytes - before) / answer.getKvsCount());
      pageKeys = Math.clamp(PAGE_BYTES / average, 1, Math.min(PAGE_KEYS_MAX, pageKeys * GROWTH));
      next = answer.getKvs(answer.getKvsCount() - 1).getKey().concat(AFTER);
    } else if (++span < spans.size()) {
      next = spans.get(span).rangeKey();
    } else {
      result.complete(sorted());
      return;
    }
    page();
  }

  private Base sorted() {
    pairs.sort(Comparator.comparingLong(Change::main));
    long main = 0;
    int sub = 0;
    for (int i = 0; i < pairs.size(); i++) {
      Change pair = pairs.get(i);
      sub = pair.main() == main ? sub + 1 : 0;
      main = pair.main();
      pairs.set(i, Changes.at(pair, sub));
    }
    return new Base(header, pairs);
  }
}
