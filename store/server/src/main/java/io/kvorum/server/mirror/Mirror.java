package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchProgressRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * Makes a range of one cluster's keys appear in another, and keeps it so.
 *
 * <ol>
 *   <li>With a position in the destination it goes on from there. Without one it copies everything as of one revision into an empty range, or begins behind a given revision, for a
 *       destination that was made from a snapshot.
 *   <li>Then it watches. The changes of one revision become visible together, unless they are more than a transaction holds.
 *   <li>What it would have to leave out ends it with a {@link GapException}: revisions that were compacted before they were seen, a lease that expired in the destination alone,
 *       another writer of the position, a source whose revisions went back.
 * </ol>
 */
final class Mirror {
  private static final int PAGE_KEYS = 64;
  private static final long ASK_MILLIS = 1_000;
  private static final long NOTE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Remote source;
  private final Remote other;
  private final Destination destination;
  private final MirroredLeases leases;
  private final Span span;
  private final boolean untilCaughtUp;
  private final PrintStream err;
  private final LongSupplier nanoTime;
  private final Batch batch = new Batch();

  /** As it was last written, or where it begins. */
  private Position position;

  private long sourceRevision;
  private long target = Long.MAX_VALUE;
  private long reached;
  private long noted;
  private long told;
  private long changes;

  /**
   * @param untilCaughtUp end once the destination has all that the source had when this began
   * @param err where to tell how far it is
   */
  Mirror(Remote source, Remote target, Span span, ByteString positionKey, boolean untilCaughtUp, PrintStream err, LongSupplier nanoTime) {
    this.source = source;
    this.other = target;
    this.destination = new Destination(target, positionKey);
    this.leases = new MirroredLeases(source, target, nanoTime);
    this.span = span;
    this.untilCaughtUp = untilCaughtUp;
    this.err = err;
    this.nanoTime = nanoTime;
    this.told = nanoTime.getAsLong();
    this.noted = told;
  }

  /**
   * Runs until it is interrupted, fails, or has caught up.
   *
   * @param from the revision of the snapshot that the destination was made from, 0 for none; of no account when there is a position
   * @return the source's revision that was reached
   */
  long run(long from) throws IOException, InterruptedException, GapException {
    destination.load();
    RangeResponse look = source.kv(kv -> kv.range(RangeRequest.newBuilder().setKey(span.from()).setRangeEnd(span.to()).setCountOnly(true).build()));
    sourceRevision = look.getHeader().getRevision();
    target = untilCaughtUp ? sourceRevision : Long.MAX_VALUE;
    position = destination.position();
    if (position == null) {
      position = begin(from, look);
    } else {
      check(position, look.getHeader().getClusterId());
    }
    reached = position.revision();
    leases.adopt(position, span);
    if (position.copying()) {
      copy();
    }
    follow();
    return reached;
  }

  private Position begin(long from, RangeResponse look) throws IOException, InterruptedException, GapException {
    long cluster = look.getHeader().getClusterId();
    if (from > 0) {
      long revision = other.kv(kv -> kv.range(RangeRequest.newBuilder().setKey(destination.positionKey()).build())).getHeader().getRevision();
      if (revision != from) {
        throw new GapException("the destination is at revision " + revision + ", not " + from + ": it was written to, or made from another snapshot");
      }
      compareAt(from);
      return Position.following(cluster, from);
    }
    long keys = destination.count(span);
    if (keys > 0) {
      throw new GapException("the destination holds " + keys + " keys in this range and no mirror's position; take an empty one, or --from-revision after an import");
    }
    err.println("mirror: copying " + look.getCount() + " keys as of revision " + sourceRevision);
    return Position.copy(cluster, sourceRevision, span.from());
  }

  /** The destination must be the source as it was then. Not when one was compacted further than the other: their hashes then leave out different rows. */
  private void compareAt(long revision) throws IOException, InterruptedException, GapException {
    HashKVRequest request = HashKVRequest.newBuilder().setRevision(revision).build();
    HashKVResponse here = source.maintenance(stub -> stub.hashKV(request));
    HashKVResponse there = other.maintenance(stub -> stub.hashKV(request));
    if (here.getCompactRevision() != there.getCompactRevision()) {
      err.println("mirror: warning: the contents at revision " + revision + " cannot be compared, because the clusters were compacted at different revisions");
    } else if (here.getHash() != there.getHash()) {
      throw new GapException("the destination does not hold what the source held at revision " + revision);
    }
  }

  private void check(Position position, long cluster) throws GapException {
    if (position.source() != cluster) {
      throw new GapException(
          "the destination mirrors cluster " + Long.toHexString(position.source()) + ", and the source is " + Long.toHexString(cluster));
    }
    if (position.revision() > sourceRevision) {
      throw new GapException("the source is at revision " + sourceRevision + ", and was at " + position.revision() + " before: it was restored");
    }
    err.println("mirror: going on from revision " + position.revision());
  }

  private void copy() throws IOException, InterruptedException, GapException {
    boolean more = true;
    while (more) {
      RangeResponse page = page();
      Position after = position;
      for (KeyValue pair : page.getKvsList()) {
        if (!batch.takes(pair)) {
          commit(after);
        }
        if (!isPosition(pair)) {
          batch.put(pair, leases.forKey(pair.getLease()));
          changes++;
        }
        after = after.copiedUpTo(Span.after(pair.getKey()));
      }
      commit(after);
      leases.keepAlive();
      tell("copying, " + (page.getCount() - page.getKvsCount()) + " keys to go");
      more = page.getMore();
    }
    commit(position.at(position.revision()));
  }

  private RangeResponse page() throws IOException, InterruptedException, GapException {
    RangeRequest request =
        RangeRequest.newBuilder().setKey(position.next()).setRangeEnd(span.to()).setRevision(position.revision()).setLimit(PAGE_KEYS).build();
    try {
      return source.kv(kv -> kv.range(request));
    } catch (Remote.RefusedException refused) {
      if (refused.is(EtcdError.COMPACTED)) {
        throw new GapException("revision " + position.revision() + " was compacted at the source before it was copied; begin again with an empty destination");
      }
      throw refused;
    }
  }

  private boolean isPosition(KeyValue pair) {
    return pair.getKey().equals(destination.positionKey());
  }

  private void follow() throws IOException, InterruptedException, GapException {
    while (reached < target) {
      BlockingClientCall<WatchRequest, WatchResponse> watch = source.watches().watch();
      try {
        WatchCreateRequest.Builder create =
            WatchCreateRequest.newBuilder().setKey(span.from()).setRangeEnd(span.to()).setStartRevision(reached + 1).setProgressNotify(true);
        watch.write(WatchRequest.newBuilder().setCreateRequest(create).build());
        while (reached < target && take(watch)) {
          source.worked();
        }
      } catch (StatusException broken) {
        source.failed(broken.getStatus());
      } finally {
        watch.cancel("done", null);
      }
    }
    note(true);
  }

  /** One answer; false when the stream ended. */
  private boolean take(BlockingClientCall<WatchRequest, WatchResponse> watch) throws IOException, InterruptedException, GapException, StatusException {
    WatchResponse answer;
    try {
      answer = watch.read(ASK_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException quiet) {
      // Also tells how far the source is, when nothing in this range changes.
      watch.write(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build());
      leases.keepAlive();
      return true;
    }
    if (answer == null) {
      source.failed(Status.UNAVAILABLE.withDescription("the watch ended"));
      return false;
    }
    if (answer.getCanceled()) {
      throw cancelled(answer);
    }
    apply(answer.getEventsList());
    if (answer.getEventsCount() == 0 && !answer.getCreated() && answer.getHeader().getRevision() > reached) {
      reached = answer.getHeader().getRevision();
      note(false);
    }
    sourceRevision = Math.max(sourceRevision, answer.getHeader().getRevision());
    leases.keepAlive();
    tell("following");
    return true;
  }

  private GapException cancelled(WatchResponse answer) {
    if (answer.getCompactRevision() > 0) {
      return new GapException(
          "revisions " + (reached + 1) + " to " + (answer.getCompactRevision() - 1) + " were compacted at the source before they were mirrored; begin again with an empty destination");
    }
    return new GapException("the source ended the watch: " + answer.getCancelReason());
  }

  /** Whole revisions, several in one transaction while they fit. One that is too large for a transaction is made in parts, and as a whole again after a crash. */
  private void apply(List<Event> events) throws IOException, InterruptedException, GapException {
    long done = reached;
    for (int from = 0, to; from < events.size(); from = to) {
      long revision = events.get(from).getKv().getModRevision();
      to = from + 1;
      while (to < events.size() && events.get(to).getKv().getModRevision() == revision) {
        to++;
      }
      List<Event> together = events.subList(from, to);
      if (!batch.isEmpty() && !batch.takesAll(together)) {
        commit(position.at(done));
      }
      for (Event event : together) {
        if (!batch.takes(event.getKv())) {
          commit(position.at(done));
        }
        add(event, event.getKv());
      }
      done = revision;
    }
    if (!batch.isEmpty()) {
      commit(position.at(done));
    }
    reached = done;
  }

  private void commit(Position next) throws IOException, InterruptedException, GapException {
    destination.commit(batch, next);
    position = next;
    noted = nanoTime.getAsLong();
  }

  private void add(Event event, KeyValue pair) throws IOException, InterruptedException {
    changes++;
    if (isPosition(pair)) {
      return;
    }
    if (event.getType() == Event.EventType.DELETE) {
      batch.delete(pair);
    } else {
      batch.put(pair, leases.forKey(pair.getLease()));
    }
  }

  /** Writes how far it is although nothing changed, so that a later start does not ask for what was compacted meanwhile. */
  private void note(boolean now) throws IOException, InterruptedException, GapException {
    long time = nanoTime.getAsLong();
    if (position.revision() < reached && (now || time - noted >= NOTE_NANOS)) {
      commit(position.at(reached));
    }
  }

  private void tell(String what) {
    long now = nanoTime.getAsLong();
    if (now - told >= TELL_NANOS) {
      told = now;
      err.println("mirror: " + what + ", revision " + reached + " of " + Math.max(reached, sourceRevision) + ", " + changes + " changes made");
    }
  }
}
