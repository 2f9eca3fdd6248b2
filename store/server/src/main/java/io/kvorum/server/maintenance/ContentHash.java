package io.kvorum.server.maintenance;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** etcd's HashKV over this member's data, computed away from the event loops: it reads everything. */
public final class ContentHash {
  private final Kernel kernel;
  private final Executor workers;

  /**
   * @param workers where hashes are computed; bounded, a refusal is answered with TOO_MANY_REQUESTS
   */
  public ContentHash(Kernel kernel, Executor workers) {
    this.kernel = kernel;
    this.workers = workers;
  }

  /**
   * @param revision up to which changes count; 0 for the newest
   */
  public void hash(long revision, Completion<HashKVResponse> completion) {
    try {
      workers.execute(() -> compute(revision, completion));
    } catch (RejectedExecutionException e) {
      completion.failed(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }

  private void compute(long revision, Completion<HashKVResponse> completion) {
    HashKVResponse answer;
    try (ReadView view = kernel.store().view()) {
      ReadView.HashResult result = view.hash(revision);
      answer =
          HashKVResponse.newBuilder()
              .setHeader(kernel.header(view.revision()))
              .setHash(result.hash())
              .setCompactRevision(result.compactRevision())
              .setHashRevision(result.hashRevision())
              .build();
    } catch (RevisionException e) {
      completion.failed(refusal(e));
      return;
    }
    completion.done(answer);
  }

  private static StatusRuntimeException refusal(RevisionException e) {
    return switch (e) {
      case RevisionException.Compacted compacted -> EtcdError.COMPACTED.exception();
      case RevisionException.Future future -> EtcdError.FUTURE_REVISION.exception();
    };
  }
}
