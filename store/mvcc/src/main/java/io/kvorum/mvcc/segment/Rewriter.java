package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.RevisionLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.LongSupplier;

/**
 * Writes sealed segments anew without what is dead, and merges small ones, on a thread of its own and at its own pace.
 *
 * <p>Per request: (1) every record of every sealed segment is asked for; (2) {@link MergePolicy} groups adjacent segments; (3) oldest group first, the live
 * records are copied into one new file of exactly their size, each compared with its checksum, forced in steps; (4) the new segment takes the group's place for
 * readers; (5) the next checkpoint's manifest names it, and the old files go once nobody reads them. A crash before (5) finds the old segments.
 *
 * <p>A dead tombstone goes only when no dead record can be left in an older segment: else that record would come back to life when the index is rebuilt.
 */
final class Rewriter {
  private static final System.Logger LOG = System.getLogger(Rewriter.class.getName());
  private static final int STEP_BYTES = 64 << 10;
  private static final long FORCE_STEP_BYTES = 8L << 20;

  /** For merges, which need not ask. */
  private static final RevisionLog.Liveness EVERYTHING = (key, main, sub) -> true;

  private final SegmentFiles files;
  private final SegmentChain chain;
  private final Checkpointer checkpointer;
  private final ExecutorService thread;
  private final LongSupplier nanoTime;
  private volatile boolean stopping;

  /** What waits to be started, at most one: a later request joins it. Guarded by this. */
  private Request waiting;

  private record Request(RevisionLog.Liveness liveness, boolean all, CompletableFuture<Void> done) {}

  /** What of one segment is dead. */
  private record Survey(Segment segment, BitSet dead, long deadBytes, boolean deadPuts) {
    MergePolicy.Part part() {
      OffsetTable table = segment.table();
      return new MergePolicy.Part(segment.info().payloadBytes(), deadBytes, table.main(0), table.main(table.count() - 1));
    }
  }

  /** The chain was replaced under the work, or the log is closing. */
  private static final class Abandoned extends Exception {
    private static final long serialVersionUID = 1L;
  }

  Rewriter(SegmentFiles files, SegmentChain chain, Checkpointer checkpointer, ExecutorService thread, LongSupplier nanoTime) {
    this.files = files;
    this.chain = chain;
    this.checkpointer = checkpointer;
    this.thread = thread;
    this.nanoTime = nanoTime;
  }

  /** Queues a rewrite; completes when it took effect for readers, or was abandoned by an install. */
  synchronized CompletableFuture<Void> request(RevisionLog.Liveness liveness, boolean all) {
    if (waiting != null) {
      waiting = new Request(liveness, all || waiting.all(), waiting.done());
    } else {
      waiting = new Request(liveness, all, new CompletableFuture<>());
      thread.execute(this::run);
    }
    return waiting.done();
  }

  /** Queues a merge in tiers, if nothing is queued. */
  void merge() {
    synchronized (this) {
      if (waiting != null || stopping) {
        return;
      }
    }
    request(EVERYTHING, false);
  }

  void stop() {
    stopping = true;
  }

  private void run() {
    Request request;
    synchronized (this) {
      request = waiting;
      waiting = null;
    }
    SegmentSet set = chain.pin();
    try {
      rewrite(set, request);
      request.done().complete(null);
    } catch (Abandoned e) {
      request.done().complete(null);
    } catch (NoSpaceException e) {
      LOG.log(System.Logger.Level.WARNING, "segments cannot be rewritten: " + e.getMessage());
      request.done().completeExceptionally(e);
    } catch (IOException | RuntimeException | Error e) {
      LOG.log(System.Logger.Level.ERROR, "rewriting segments failed", e);
      request.done().completeExceptionally(e);
    } finally {
      set.release();
    }
  }

  private void rewrite(SegmentSet set, Request request) throws IOException, Abandoned {
    Pace pace = new Pace(nanoTime);
    List<Survey> surveys = new ArrayList<>();
    for (Segment segment : set.segments()) {
      if (!segment.sealed()) {
        break;
      }
      surveys.add(survey(segment, request.liveness(), pace));
    }
    boolean olderClean = true;
    int seen = 0;
    for (MergePolicy.Group group : MergePolicy.plan(surveys.stream().map(Survey::part).toList(), request.all())) {
      olderClean &= surveys.subList(seen, group.from()).stream().noneMatch(Survey::deadPuts);
      seen = group.to();
      rewrite(surveys.subList(group.from(), group.to()), olderClean, pace);
    }
  }

  private Survey survey(Segment segment, RevisionLog.Liveness liveness, Pace pace) throws Abandoned {
    if (liveness == EVERYTHING) {
      return new Survey(segment, new BitSet(), 0, true);
    }
    OffsetTable table = segment.table();
    BitSet dead = new BitSet();
    long deadBytes = 0;
    boolean deadPuts = false;
    for (KeyCursor keys = segment.keys(); keys.next(); ) {
      byte[] key = keys.key();
      for (int i = 0; i < keys.positions(); i++) {
        int position = keys.position(i);
        if (!liveness.isLive(key, table.main(position), table.sub(position))) {
          dead.set(position);
          deadBytes += table.length(position);
          deadPuts |= !table.tombstone(position);
        }
      }
      step(pace);
    }
    return new Survey(segment, dead, deadBytes, deadPuts);
  }

  private void step(Pace pace) throws Abandoned {
    if (stopping) {
      throw new Abandoned();
    }
    pace.step();
  }

  private void rewrite(List<Survey> group, boolean dropTombstones, Pace pace) throws IOException, Abandoned {
    long before = 0;
    long after = 0;
    long chunks = 0;
    long entries = 0;
    for (Survey survey : group) {
      OffsetTable table = survey.segment().table();
      before += survey.segment().info().payloadBytes();
      for (int i = 0; i < table.count(); i++) {
        if (kept(survey, i, dropTombstones)) {
          after += table.length(i);
          chunks += ChunkBudget.chunksOf(table.length(i));
          entries++;
        }
      }
    }
    if (group.size() == 1 && before == after) {
      return;
    }
    List<Segment> fresh = entries == 0 ? List.of() : List.of(copy(group, dropTombstones, SegmentSize.exact(chunks, entries), pace));
    files.failPoint().reached(FailPoints.REWRITE_BEFORE_SWAP);
    if (!chain.replace(group.stream().map(Survey::segment).toList(), fresh)) {
      fresh.forEach(Segment::release);
      throw new Abandoned();
    }
    if (before > after) {
      checkpointer.rewriteSwapped();
    }
    files.failPoint().reached(FailPoints.REWRITE_AFTER_SWAP);
  }

  private static boolean kept(Survey survey, int position, boolean dropTombstones) {
    return !survey.dead().get(position) || survey.segment().table().tombstone(position) && !dropTombstones;
  }

  private Segment copy(List<Survey> group, boolean dropTombstones, SegmentSize size, Pace pace) throws IOException, Abandoned {
    ActiveSegment target = files.create(size);
    try {
      RecordCheck check = new RecordCheck();
      long stepped = 0;
      long forced = 0;
      for (Survey survey : group) {
        OffsetTable table = survey.segment().table();
        for (int i = 0; i < table.count(); i++) {
          if (!kept(survey, i, dropTombstones)) {
            continue;
          }
          byte[] encoded = check.read(survey.segment(), i, files.directory());
          target.append(table.main(i), table.sub(i), encoded, table.length(i), table.tombstone(i), table.lease(i));
          if (target.payloadBytes() - stepped >= STEP_BYTES) {
            stepped = target.payloadBytes();
            step(pace);
          }
          if (target.payloadBytes() - forced >= FORCE_STEP_BYTES) {
            forced = target.payloadBytes();
            files.forceEarly(target);
          }
        }
      }
      return files.seal(target, pace::step);
    } finally {
      files.discard(target);
    }
  }
}
