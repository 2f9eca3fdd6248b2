package io.kvorum.server.watch;

import static io.kvorum.server.watch.CoreRig.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest.FilterType;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random writes, lost batches, compactions, slow readers, creations and cancellations: every watcher sees exactly the events that a plain list of everything
 * that was ever written says it should see, in order, once, whole revisions at a time; or it sees the first of them and is then cancelled.
 */
class WatchPropertyTest {
  private static final String[] KEYS = {"a", "b", "c", "d", "e"};

  private static final long SEED = Long.getLong("kvorum.seed", 5_330_976);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 400);

  @Test
  void every_watcher_sees_its_events_in_order_once() {
    for (int i = 0; i < TRIES; i++) {
      long seed = SEED + i;
      assertThatCode(() -> run(seed)).as("seed %d", seed).doesNotThrowAnyException();
    }
  }

  private static void run(long seed) {
    Run run = new Run(new SplittableRandom(seed));
    for (int i = 0; i < 400; i++) {
      run.step();
    }
    run.finish();
  }

  /** One change as it was written; the list of them is never compacted. */
  private record Written(ByteString key, long main, boolean delete, long version) {}

  /** What a client knows of one watch. */
  private static final class Watch {
    final WatchCreateRequest request;
    final List<Event> got = new ArrayList<>();
    boolean created;
    long from;
    long lastMain;
    long progress;
    long compacted;
    boolean midFragment;

    Watch(WatchCreateRequest request) {
      this.request = request;
    }

    boolean wants(Written written) {
      byte[] key = written.key.toByteArray();
      byte[] begin = request.getKey().toByteArray();
      byte[] end = request.getRangeEnd().toByteArray();
      boolean covered =
          end.length == 0 ? Arrays.equals(begin, key) : Arrays.compareUnsigned(begin, key) <= 0 && Arrays.compareUnsigned(key, end) < 0;
      return covered && written.main >= from && !request.getFiltersList().contains(written.delete ? FilterType.NODELETE : FilterType.NOPUT);
    }

    void hear(WatchResponse response) {
      long first = response.getEvents(0).getKv().getModRevision();
      if (midFragment) {
        assertThat(first).isGreaterThanOrEqualTo(lastMain);
      } else {
        assertThat(first).as("a revision is never split over two responses").isGreaterThan(lastMain);
      }
      assertThat(first).as("nothing at or below an announced progress").isGreaterThan(progress);
      assertThat(request.getFragment() || !response.getFragment()).isTrue();
      midFragment = response.getFragment();
      got.addAll(response.getEventsList());
      lastMain = got.getLast().getKv().getModRevision();
      assertThat(response.getHeader().getRevision()).isGreaterThanOrEqualTo(lastMain);
    }
  }

  private static final class Client {
    final FakeSink sink = new FakeSink();
    final WatchStream stream;
    final Map<Long, Watch> open = new LinkedHashMap<>();
    final List<Watch> ended = new ArrayList<>();

    Client(CoreRig rig) {
      stream = rig.stream(sink);
      sink.credit = 0;
    }
  }

  private static final class Run {
    private final SplittableRandom random;
    private final CoreRig rig = new CoreRig(new WatchBounds(6, 600, 5, 500, 3, 300), Long.MAX_VALUE / 4);
    private final List<Written> written = new ArrayList<>();
    private final Map<ByteString, TreeMap<Long, ByteString>> versions = new HashMap<>();
    private final List<Client> clients = new ArrayList<>();
    private final Set<Long> floors = new HashSet<>();
    private long floor = 1;
    private long nextId = 1;

    Run(SplittableRandom random) {
      this.random = random;
      for (int i = 0; i < 3; i++) {
        clients.add(new Client(rig));
      }
    }

    void step() {
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> write();
        case 4 -> rig.deliver();
        case 5 -> rarely(4, rig::lose);
        case 6 -> create(client());
        case 7 -> rarely(2, () -> cancel(client()));
        case 8 -> rig.core.catchUp();
        case 9 -> rig.core.progress(client().stream);
        case 10 -> read(client(), random.nextInt(6));
        default -> rarely(5, this::compact);
      }
    }

    private void rarely(int bound, Runnable action) {
      if (random.nextInt(bound) == 0) {
        action.run();
      }
    }

    private Client client() {
      return clients.get(random.nextInt(clients.size()));
    }

    private void write() {
      // A transaction changes a key once at most: others are refused before they reach the store.
      int count = 1 + random.nextInt(3);
      int first = random.nextInt(KEYS.length);
      int stride = 1 + random.nextInt(KEYS.length - 1);
      CoreRig.Op[] ops = new CoreRig.Op[count];
      for (int i = 0; i < count; i++) {
        String key = KEYS[(first + i * stride) % KEYS.length];
        ops[i] = random.nextInt(3) == 0 ? CoreRig.delete(key) : CoreRig.put(key, random.nextInt(1_000) + "v".repeat(random.nextInt(80)));
      }
      rig.apply(ops);
      for (Change change : rig.lastChanges) {
        ByteString key = ByteString.copyFrom(change.key());
        written.add(new Written(key, change.main(), change.delete(), change.version()));
        versions.computeIfAbsent(key, k -> new TreeMap<>()).put(change.main(), change.delete() ? ByteString.EMPTY : ByteString.copyFrom(change.encoded()));
      }
      if (random.nextBoolean()) {
        rig.deliver();
      }
    }

    private void create(Client client) {
      WatchCreateRequest.Builder request = CoreRig.on(KEYS[random.nextInt(KEYS.length)]).setWatchId(nextId++);
      if (random.nextBoolean()) {
        request.setRangeEnd(bytes("z"));
      }
      if (random.nextBoolean()) {
        request.setStartRevision(1 + random.nextLong(rig.store.revision() + 3));
      }
      if (random.nextInt(4) == 0) {
        request.addFilters(random.nextBoolean() ? FilterType.NOPUT : FilterType.NODELETE);
      }
      request.setFragment(random.nextInt(3) == 0).setPrevKv(random.nextBoolean());
      client.open.put(request.getWatchId(), new Watch(request.build()));
      rig.create(client.stream, request);
    }

    private void cancel(Client client) {
      List<Long> ids = List.copyOf(client.open.keySet());
      if (!ids.isEmpty()) {
        rig.core.cancel(client.stream, ids.get(random.nextInt(ids.size())));
      }
    }

    private void compact() {
      long newest = rig.store.revision();
      if (newest > floor) {
        floor += 1 + random.nextLong(newest - floor);
        floors.add(floor);
        rig.compact(floor);
      }
    }

    private void read(Client client, long credit) {
      client.sink.credit = credit;
      client.stream.drain();
      client.sink.take().forEach(response -> hear(client, response));
    }

    private void hear(Client client, WatchResponse response) {
      long id = response.getWatchId();
      if (id == -1) {
        client.open.values().stream().filter(w -> w.created && w.compacted == 0).forEach(w -> w.progress = response.getHeader().getRevision());
        return;
      }
      Watch watch = client.open.get(id);
      assertThat(watch).as("nothing for a watch that was cancelled").isNotNull();
      if (response.getCreated()) {
        watch.created = true;
        watch.from = watch.request.getStartRevision() == 0 ? response.getHeader().getRevision() + 1 : watch.request.getStartRevision();
        return;
      }
      assertThat(watch.created).isTrue();
      if (response.getCanceled() && response.getCompactRevision() == 0) {
        client.ended.add(client.open.remove(id));
      } else {
        assertThat(watch.compacted).as("after a compaction-cancel only the answer to a cancel").isZero();
        if (response.getCanceled()) {
          watch.compacted = response.getCompactRevision();
        } else {
          watch.hear(response);
        }
      }
    }

    void finish() {
      rig.deliver();
      rig.core.lost(rig.store.revision());
      for (int i = 0; i < 1_000 && (i == 0 || rig.core.behindCount() > 0); i++) {
        clients.forEach(client -> read(client, Long.MAX_VALUE));
        rig.catchUp();
      }
      clients.forEach(client -> read(client, Long.MAX_VALUE));
      assertThat(rig.core.behindCount()).isZero();
      for (Client client : clients) {
        client.open.values().forEach(watch -> check(watch, watch.compacted == 0));
        client.ended.forEach(watch -> check(watch, false));
      }
      assertThat(rig.store.leakedViews()).isZero();
    }

    private void check(Watch watch, boolean complete) {
      int at = 0;
      for (int i = 0; i < written.size() && at <= watch.got.size(); i++) {
        Written expected = written.get(i);
        if (!watch.wants(expected)) {
          continue;
        }
        if (at < watch.got.size() && same(watch.got.get(at), expected)) {
          checkPrevious(watch, watch.got.get(at));
          at++;
        } else {
          assertThat(complete).as("missing %s of %s", expected, watch.request).isFalse();
          break;
        }
      }
      assertThat(at).as("events that should not be there").isEqualTo(watch.got.size());
      assertThat(watch.midFragment).isFalse();
      if (watch.compacted != 0) {
        assertThat(floors).contains(watch.compacted);
        assertThat(watch.lastMain).isLessThan(watch.compacted);
      }
    }

    private static boolean same(Event event, Written expected) {
      return event.getKv().getKey().equals(expected.key)
          && event.getKv().getModRevision() == expected.main
          && event.getKv().getVersion() == expected.version
          && (event.getType() == Event.EventType.DELETE) == expected.delete;
    }

    private void checkPrevious(Watch watch, Event event) {
      long main = event.getKv().getModRevision();
      boolean creation = event.getType() == Event.EventType.PUT && event.getKv().getCreateRevision() == main;
      Map.Entry<Long, ByteString> before = versions.get(event.getKv().getKey()).lowerEntry(main);
      boolean had = before != null && !before.getValue().isEmpty() && !creation;
      if (!watch.request.getPrevKv() || !had) {
        assertThat(event.hasPrevKv()).isFalse();
      } else if (event.hasPrevKv()) {
        assertThat(event.getPrevKv().toByteString()).isEqualTo(before.getValue());
      } else {
        assertThat(main - 1).as("absent only when compacted").isLessThan(floor);
      }
    }
  }
}
