package io.kvorum.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.CompactOption;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** Every operation that jetcd's users know, against a running cluster (system property {@code endpoints}). */
@Timeout(60)
class JetcdTest {
  private static Client client;
  private String prefix;

  @BeforeAll
  static void connect() {
    client = Clients.any();
  }

  @AfterAll
  static void close() {
    client.close();
  }

  @BeforeEach
  void ownKeys(TestInfo info) {
    prefix = "jetcd/" + info.getTestMethod().orElseThrow().getName() + "/" + System.nanoTime() + "/";
  }

  private ByteSequence key(String name) {
    return bytes(prefix + name);
  }

  private static ByteSequence bytes(String s) {
    return ByteSequence.from(s, StandardCharsets.UTF_8);
  }

  @Test
  void putsGetsAndDeletes() throws Exception {
    var kv = client.getKVClient();
    kv.put(key("a"), bytes("1")).get();
    var second = kv.put(key("a"), bytes("2"), PutOption.builder().withPrevKV().build()).get();
    assertThat(second.getPrevKv().getValue()).isEqualTo(bytes("1"));
    GetResponse got = kv.get(key("a")).get();
    assertThat(got.getKvs()).singleElement().satisfies(pair -> {
      assertThat(pair.getValue()).isEqualTo(bytes("2"));
      assertThat(pair.getVersion()).isEqualTo(2);
      assertThat(pair.getModRevision()).isEqualTo(second.getHeader().getRevision());
    });
    var deleted = kv.delete(key(""), DeleteOption.builder().isPrefix(true).withPrevKV(true).build()).get();
    assertThat(deleted.getDeleted()).isEqualTo(1);
    assertThat(deleted.getPrevKvs().getFirst().getValue()).isEqualTo(bytes("2"));
    assertThat(kv.get(key("a")).get().getCount()).isZero();
  }

  @Test
  void readsRangesInOrderByPagesAndByRevision() throws Exception {
    var kv = client.getKVClient();
    long firstRevision = 0;
    for (int i = 0; i < 25; i++) {
      long revision = kv.put(key("%02d".formatted(i)), bytes("v" + i)).get().getHeader().getRevision();
      firstRevision = i == 0 ? revision : firstRevision;
    }
    GetResponse page = kv.get(key(""), GetOption.builder().isPrefix(true).withLimit(10).build()).get();
    assertThat(page.getCount()).isEqualTo(25);
    assertThat(page.isMore()).isTrue();
    assertThat(page.getKvs()).extracting(KeyValue::getKey).startsWith(key("00")).endsWith(key("09"));
    GetResponse last = kv.get(key(""), GetOption.builder().isPrefix(true).withSortField(GetOption.SortTarget.KEY).withSortOrder(GetOption.SortOrder.DESCEND)
        .withLimit(1).build()).get();
    assertThat(last.getKvs().getFirst().getKey()).isEqualTo(key("24"));
    assertThat(kv.get(key(""), GetOption.builder().isPrefix(true).withCountOnly(true).build()).get().getCount()).isEqualTo(25);
    assertThat(kv.get(key(""), GetOption.builder().isPrefix(true).withRevision(firstRevision).build()).get().getCount()).isEqualTo(1);
    assertThat(kv.get(key("00"), GetOption.builder().withSerializable(true).build()).get().getHeader().getRevision()).isPositive();
  }

  @Test
  void commitsTransactions() throws Exception {
    var kv = client.getKVClient();
    kv.put(key("a"), bytes("1")).get();
    TxnResponse response = kv.txn()
        .If(new Cmp(key("a"), Cmp.Op.EQUAL, CmpTarget.value(bytes("1"))), new Cmp(key("a"), Cmp.Op.GREATER, CmpTarget.version(0)))
        .Then(Op.put(key("b"), bytes("2"), PutOption.DEFAULT), Op.get(key("b"), GetOption.DEFAULT),
            Op.txn(null, new Op[] {Op.delete(key("a"), DeleteOption.DEFAULT)}, null))
        .Else(Op.get(key("a"), GetOption.DEFAULT)).commit().get();
    assertThat(response.isSucceeded()).isTrue();
    assertThat(response.getGetResponses().getFirst().getKvs().getFirst().getValue()).isEqualTo(bytes("2"));
    assertThat(response.getTxnResponses().getFirst().getDeleteResponses().getFirst().getDeleted()).isEqualTo(1);
    TxnResponse other = kv.txn().If(new Cmp(key("a"), Cmp.Op.EQUAL, CmpTarget.value(bytes("1")))).Then(Op.put(key("c"), bytes("3"), PutOption.DEFAULT)).commit().get();
    assertThat(other.isSucceeded()).isFalse();
    assertThat(kv.get(key("c")).get().getCount()).isZero();
  }

  @Test
  void compacts() throws Exception {
    var kv = client.getKVClient();
    long old = kv.put(key("a"), bytes("1")).get().getHeader().getRevision();
    long now = kv.put(key("a"), bytes("2")).get().getHeader().getRevision();
    kv.compact(now, CompactOption.builder().withCompactPhysical(true).build()).get();
    assertThatThrownBy(() -> kv.get(key("a"), GetOption.builder().withRevision(old).build()).get())
        .hasMessageContaining("mvcc: required revision has been compacted");
  }

  @Test
  void watchesPastAndFuture() throws Exception {
    var kv = client.getKVClient();
    long from = kv.put(key("a"), bytes("1")).get().getHeader().getRevision();
    BlockingQueue<WatchEvent> events = new LinkedBlockingQueue<>();
    WatchOption option = WatchOption.builder().isPrefix(true).withRevision(from).withPrevKV(true).build();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key(""), option, (WatchResponse r) -> events.addAll(r.getEvents()))) {
      kv.put(key("a"), bytes("2")).get();
      kv.delete(key("a")).get();
      List<WatchEvent> seen = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        seen.add(events.poll(10, TimeUnit.SECONDS));
      }
      assertThat(seen).doesNotContainNull().extracting(WatchEvent::getEventType)
          .containsExactly(WatchEvent.EventType.PUT, WatchEvent.EventType.PUT, WatchEvent.EventType.DELETE);
      assertThat(seen.get(2).getPrevKV().getValue()).isEqualTo(bytes("2"));
    }
  }

  @Test
  void toldOfCompactedWatches() throws Exception {
    var kv = client.getKVClient();
    long old = kv.put(key("a"), bytes("1")).get().getHeader().getRevision();
    long now = kv.put(key("a"), bytes("2")).get().getHeader().getRevision();
    kv.compact(now).get();
    BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key("a"), WatchOption.builder().withRevision(old).build(), Watch.listener(r -> {}, errors::add))) {
      assertThat(errors.poll(10, TimeUnit.SECONDS)).hasMessageContaining("required revision has been compacted");
    }
  }

  @Test
  void leasesLiveAndEnd() throws Exception {
    var kv = client.getKVClient();
    var leases = client.getLeaseClient();
    long id = leases.grant(30).get().getID();
    kv.put(key("a"), bytes("1"), PutOption.builder().withLeaseId(id).build()).get();
    var ttl = leases.timeToLive(id, LeaseOption.builder().withAttachedKeys().build()).get();
    assertThat(ttl.getGrantedTTL()).isEqualTo(30);
    assertThat(ttl.getKeys()).containsExactly(key("a"));
    assertThat(leases.keepAliveOnce(id).get().getTTL()).isEqualTo(30);
    CountDownLatch beats = new CountDownLatch(1);
    try (var alive = leases.keepAlive(id, new StreamObserver<LeaseKeepAliveResponse>() {
      @Override
      public void onNext(LeaseKeepAliveResponse response) {
        beats.countDown();
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {}
    })) {
      assertThat(beats.await(10, TimeUnit.SECONDS)).isTrue();
    }
    leases.revoke(id).get();
    assertThat(kv.get(key("a")).get().getCount()).isZero();
    assertThatThrownBy(() -> leases.revoke(id).get()).hasMessageContaining("requested lease not found");
  }

  @Test
  void readsClusterAndStatus() throws Exception {
    var members = client.getClusterClient().listMember().get().getMembers();
    assertThat(members).hasSize(System.getProperty("endpoints").split(",").length);
    for (String endpoint : System.getProperty("endpoints").split(",")) {
      var status = client.getMaintenanceClient().statusMember(endpoint).get();
      assertThat(status.getVersion()).isEqualTo("3.6.16");
      assertThat(status.getLeader()).isNotZero();
      assertThat(client.getMaintenanceClient().hashKV(endpoint, 0).get().getHash()).isNotZero();
    }
  }
}
