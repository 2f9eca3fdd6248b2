package io.kvorum.server.maintenance;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.logging.Log;
import io.kvorum.server.maintenance.HashComparison.Answer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/**
 * Compares this member's content with that of the others, by content hashes of one revision, in etcd's three ways:
 *
 * <ol>
 *   <li>{@link #initial}: before a member that has data takes part again;
 *   <li>{@link #periodic}: on the leader, at the newest revision;
 *   <li>{@link #compaction}: on the leader, at the revision of the newest compaction, once for each.
 * </ol>
 *
 * <p>Who differs from the majority gets a CORRUPT alarm through the log; while it is raised, no write is taken. Members that do not answer, lag, or have compacted
 * differently far are left to the next time. The calls block for as long as hashing takes, and a request's time limit for the other members' answers.
 */
public final class CorruptionCheck {
  private static final Log LOG = Log.of(CorruptionCheck.class);

  private final Kernel kernel;
  private final Members members;
  private final Alarms alarms;
  private final ContentHash hash;
  private final PeerHashes peers;
  private long compactionChecked;

  /**
   * @param kernel with proposals on the member's own account
   */
  public CorruptionCheck(Kernel kernel, Members members, Alarms alarms, ContentHash hash, PeerHashes peers) {
    this.kernel = kernel;
    this.members = members;
    this.alarms = alarms;
    this.hash = hash;
    this.peers = peers;
  }

  /**
   * Before consensus begins.
   *
   * @return null, or why this member must not start
   */
  public synchronized String initial() {
    LOG.info("starting initial corruption check", "local-member-id", MemberIds.hex(kernel.memberId()));
    HashKVResponse own = own(0);
    int different = 0;
    for (Answer answer : others(own.getHashRevision())) {
      if (answer.response() == null) {
        LOG.warn("cannot fetch hash from remote peer", "remote-peer-id", MemberIds.hex(answer.member()), "error", answer.failure());
      } else if (!answer.isComparableTo(own)) {
        LOG.warn("found different compact revision values from remote peer", fields(own, answer));
      } else if (answer.response().getHash() != own.getHash()) {
        LOG.warn("found different hash values from remote peer", fields(own, answer));
        different++;
      }
    }
    if (different > 0) {
      return MemberIds.hex(kernel.memberId()) + " found data inconsistency with peers";
    }
    LOG.info("initial corruption checking passed; no corruption", "local-member-id", MemberIds.hex(kernel.memberId()));
    return null;
  }

  /** Does nothing while another member leads. */
  public synchronized void periodic() {
    if (!kernel.raft().get().isLeader()) {
      return;
    }
    HashKVResponse before = own(0);
    List<Answer> answers = others(before.getHashRevision());
    // What the others had applied when they answered, this member has applied after it.
    await(kernel.reads()::await);
    HashKVResponse after = own(0);
    if (after.getHashRevision() == before.getHashRevision() && after.getCompactRevision() == before.getCompactRevision() && after.getHash() != before.getHash()) {
      LOG.warn("found hash mismatch", "local-member-id", MemberIds.hex(kernel.memberId()), "revision", after.getHashRevision());
      raise(kernel.memberId());
      return;
    }
    for (Answer answer : answers) {
      if (isAhead(answer, after)) {
        return;
      }
    }
    raiseAll(before, answers, HashComparison.of(kernel.memberId(), before, answers));
    LOG.info("finished peer corruption check", "number-of-peers-checked", answers.stream().filter(answer -> answer.response() != null).count());
  }

  private boolean isAhead(Answer answer, HashKVResponse own) {
    if (answer.response() == null) {
      return false;
    }
    if (answer.response().getHeader().getRevision() > own.getHeader().getRevision()) {
      LOG.warn("revision from follower must be less than or equal to leader's", fields(own, answer));
      raise(answer.member());
      return true;
    }
    if (answer.response().getCompactRevision() > own.getCompactRevision()) {
      LOG.warn("compact revision from follower must be less than or equal to leader's", fields(own, answer));
      raise(answer.member());
      return true;
    }
    return false;
  }

  /** Does nothing while another member leads, and for a compaction that all members have been compared at. */
  public synchronized void compaction() {
    long floor = kernel.store().compactRevision();
    if (!kernel.raft().get().isLeader() || floor <= 0 || floor == compactionChecked) {
      return;
    }
    LOG.info("starting compact hash check", "local-member-id", MemberIds.hex(kernel.memberId()), "revision", floor);
    HashKVResponse own = own(floor);
    if (own.getCompactRevision() != floor) {
      // Compacted further meanwhile: the next time compares there.
      return;
    }
    List<Answer> answers = others(floor);
    HashComparison comparison = HashComparison.of(kernel.memberId(), own, answers);
    if (comparison.complete() || !comparison.corrupt().isEmpty()) {
      compactionChecked = floor;
    }
    raiseAll(own, answers, comparison);
    LOG.info("finished compaction hash check", "number-of-hashes-checked", comparison.complete() ? 1 : 0);
  }

  private void raiseAll(HashKVResponse own, List<Answer> answers, HashComparison comparison) {
    if (comparison.corrupt().isEmpty()) {
      return;
    }
    Map<String, String> hashes = new LinkedHashMap<>();
    hashes.put(MemberIds.hex(kernel.memberId()), Integer.toHexString(own.getHash()));
    for (Answer answer : answers) {
      hashes.put(MemberIds.hex(answer.member()), answer.response() == null ? "" : Integer.toHexString(answer.response().getHash()));
    }
    LOG.error(
        "detected hash mismatch", "revision", own.getHashRevision(), "compact-revision", own.getCompactRevision(), "hashes", hashes,
        "corrupt-members", comparison.corrupt().stream().map(MemberIds::hex).toList());
    comparison.corrupt().forEach(this::raise);
  }

  private void raise(long member) {
    if (alarms.isActive(AlarmType.CORRUPT, member)) {
      return;
    }
    AlarmRequest alarm = AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(member).setAlarm(AlarmType.CORRUPT).build();
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setAlarm(alarm),
            new Completion<Object>() {
              @Override
              public void done(Object answer) {
                LOG.error("raised alarm CORRUPT", "member-id", MemberIds.hex(member));
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                LOG.warn("cannot raise alarm CORRUPT; trying again at the next check", "member-id", MemberIds.hex(member), "error", reason.getMessage());
              }
            });
  }

  private HashKVResponse own(long revision) {
    return await(completion -> hash.hash(revision, completion));
  }

  /** All others' hashes, asked for at the same time. */
  private List<Answer> others(long revision) {
    List<CompletableFuture<Answer>> asked = new ArrayList<>();
    for (long member : members.view().members().keySet()) {
      if (member != kernel.memberId()) {
        asked.add(HashFuture.<HashKVResponse>of(completion -> peers.hash(member, revision, completion)).handle((response, failure) -> answer(member, response, failure)));
      }
    }
    return asked.stream().map(CompletableFuture::join).toList();
  }

  private static Answer answer(long member, HashKVResponse response, Throwable failure) {
    if (failure == null) {
      return new Answer(member, response, null);
    }
    String reason = failure instanceof StatusRuntimeException refused ? String.valueOf(refused.getStatus().getDescription()) : String.valueOf(failure);
    if (EtcdError.FUTURE_REVISION.text().equals(reason)) {
      LOG.debug("cannot fetch hash from slow remote peer", "remote-peer-id", MemberIds.hex(member));
    }
    return new Answer(member, null, reason);
  }

  private static Object[] fields(HashKVResponse own, Answer answer) {
    return new Object[] {
      "remote-peer-id", MemberIds.hex(answer.member()), "revision", own.getHashRevision(), "local-revision", own.getHeader().getRevision(),
      "remote-revision", answer.response().getHeader().getRevision(), "local-compact-revision", own.getCompactRevision(),
      "remote-compact-revision", answer.response().getCompactRevision(), "local-hash", Integer.toHexString(own.getHash()),
      "remote-hash", Integer.toHexString(answer.response().getHash())
    };
  }

  /**
   * @throws StatusRuntimeException when it failed
   */
  private static <T> T await(Consumer<Completion<T>> call) {
    try {
      return HashFuture.of(call).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof StatusRuntimeException refused ? refused : e;
    }
  }

  /** An outcome that can be waited for. */
  private static final class HashFuture<T> extends CompletableFuture<T> implements Completion<T> {
    static <T> CompletableFuture<T> of(Consumer<Completion<T>> call) {
      HashFuture<T> future = new HashFuture<>();
      call.accept(future);
      return future;
    }

    @Override
    public void done(T answer) {
      complete(answer);
    }

    @Override
    public void failed(StatusRuntimeException reason) {
      completeExceptionally(reason);
    }
  }
}
