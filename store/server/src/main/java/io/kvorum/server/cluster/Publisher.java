package io.kvorum.server.cluster;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.internal.Attributes;
import io.kvorum.protocol.internal.ClusterMemberAttrSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import io.kvorum.server.base.Proposals;
import io.kvorum.server.logging.Log;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Announces a started member's name and client URLs through the log; until then others see it as unstarted. */
public final class Publisher {
  private static final Log LOG = Log.of(Publisher.class);
  private static final long RETRY_MILLIS = 100;

  private final Proposals proposals;
  private final ScheduledExecutorService timer;
  private final CompletableFuture<Void> published = new CompletableFuture<>();

  public Publisher(Proposals proposals, ScheduledExecutorService timer) {
    this.proposals = proposals;
    this.timer = timer;
  }

  /**
   * Proposes until it is applied; a failed attempt is followed by the next after 100 ms, for as long as the timer runs. Call once.
   *
   * @return completes when the log has it
   */
  public CompletableFuture<Void> publish(long memberId, String name, List<String> clientUrls) {
    attempt(
        ClusterMemberAttrSetRequest.newBuilder()
            .setMemberId(memberId)
            .setMemberAttributes(Attributes.newBuilder().setName(name).addAllClientUrls(clientUrls))
            .setFeatureLevel(FeatureLevel.SUPPORTED)
            .build());
    return published;
  }

  private void attempt(ClusterMemberAttrSetRequest request) {
    proposals.propose(
        LogRequest.newBuilder().setClusterMemberAttrSet(request),
        new Completion<Object>() {
          @Override
          public void done(Object nothing) {
            LOG.info(
                "published local member to cluster through raft",
                "local-member-id",
                MemberIds.hex(request.getMemberId()),
                "local-member-attributes",
                request.getMemberAttributes().getName() + " " + request.getMemberAttributes().getClientUrlsList());
            published.complete(null);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            if (EtcdError.SERVER_STOPPED.text().equals(reason.getStatus().getDescription())) {
              return;
            }
            LOG.warn("failed to publish local member to cluster through raft", "error", reason.getStatus().getDescription());
            try {
              timer.schedule(() -> attempt(request), RETRY_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
              LOG.debug("stopping; the local member stays unpublished");
            }
          }
        });
  }
}
