package io.kvorum.e2e;

import static io.kvorum.e2e.Clients.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Election;
import io.etcd.jetcd.cluster.Member;
import io.etcd.jetcd.election.CampaignResponse;
import io.etcd.jetcd.election.LeaderResponse;
import io.etcd.jetcd.election.NoLeaderException;
import io.etcd.jetcd.election.NotLeaderException;
import io.etcd.jetcd.lock.LockResponse;
import io.etcd.jetcd.maintenance.StatusResponse;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lock, Election, Cluster and Maintenance. */
@Timeout(60)
class ServicesTest {
  private static final int WAIT_SECONDS = 20;
  private static final int BBOLT_PAGE = 4096;

  private static Client client;
  private final String prefix = "services/" + System.nanoTime() + "/";

  @BeforeAll
  static void connect() {
    client = Clients.any();
  }

  @AfterAll
  static void close() {
    client.close();
  }

  private ByteSequence key(String name) {
    return bytes(prefix + name);
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static long lease() throws Exception {
    return get(client.getLeaseClient().grant(60)).getID();
  }

  @Test
  void aLockHasOneOwnerAtATime() throws Exception {
    var locks = client.getLockClient();
    LockResponse first = get(locks.lock(key("l"), lease()));
    assertThat(first.getKey().startsWith(key("l/"))).isTrue();
    CompletableFuture<LockResponse> waiting = locks.lock(key("l"), lease());
    assertThatThrownBy(() -> waiting.get(1, TimeUnit.SECONDS)).isInstanceOf(java.util.concurrent.TimeoutException.class);
    get(locks.unlock(first.getKey()));
    LockResponse second = get(waiting);
    assertThat(second.getKey()).isNotEqualTo(first.getKey());
    get(locks.unlock(second.getKey()));
    assertThatThrownBy(() -> get(locks.lock(key("l"), 12_345))).hasMessageContaining("requested lease not found");
  }

  @Test
  void aLockEndsWithItsLease() throws Exception {
    var locks = client.getLockClient();
    long lease = lease();
    get(locks.lock(key("e"), lease));
    CompletableFuture<LockResponse> waiting = locks.lock(key("e"), lease());
    get(client.getLeaseClient().revoke(lease));
    get(locks.unlock(get(waiting).getKey()));
  }

  @Test
  void oneOfManyIsElected() throws Exception {
    var elections = client.getElectionClient();
    assertThatThrownBy(() -> get(elections.leader(key("e")))).hasCauseInstanceOf(NoLeaderException.class);
    CampaignResponse first = get(elections.campaign(key("e"), lease(), bytes("one")));
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    elections.observe(
        key("e"),
        new Election.Listener() {
          @Override
          public void onNext(LeaderResponse response) {
            seen.add(response.getKv().getValue().toString());
          }

          @Override
          public void onError(Throwable error) {
            seen.add(error.toString());
          }

          @Override
          public void onCompleted() {
            seen.add("completed");
          }
        });
    assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("one");
    CompletableFuture<CampaignResponse> second = elections.campaign(key("e"), lease(), bytes("two"));
    get(elections.proclaim(first.getLeader(), bytes("still one")));
    assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("still one");
    assertThat(get(elections.leader(key("e"))).getKv().getValue()).isEqualTo(bytes("still one"));
    get(elections.resign(first.getLeader()));
    assertThat(get(second).getLeader().getName()).isEqualTo(key("e"));
    assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("two");
    assertThatThrownBy(() -> get(elections.proclaim(first.getLeader(), bytes("again")))).hasCauseInstanceOf(NotLeaderException.class);
    get(elections.resign(second.join().getLeader()));
  }

  @Test
  void membersComeChangeAndGo() throws Exception {
    var cluster = client.getClusterClient();
    int before = get(cluster.listMember()).getMembers().size();
    Member added = get(cluster.addMember(List.of(URI.create("http://127.0.0.1:9")), true)).getMember();
    assertThat(added.isLearner()).isTrue();
    assertThatThrownBy(() -> get(cluster.addMember(List.of(URI.create("http://127.0.0.1:9")), true))).hasMessageContaining("already exist");
    get(cluster.updateMember(added.getId(), List.of(URI.create("http://127.0.0.1:10"))));
    assertThat(get(cluster.listMember()).getMembers())
        .hasSize(before + 1)
        .filteredOn(member -> member.getId() == added.getId())
        .singleElement()
        .satisfies(member -> assertThat(member.getPeerURIs()).containsExactly(URI.create("http://127.0.0.1:10")));
    get(cluster.removeMember(added.getId()));
    assertThat(get(cluster.listMember()).getMembers()).hasSize(before);
    assertThatThrownBy(() -> get(cluster.removeMember(added.getId()))).hasMessageContaining("member not found");
  }

  @Test
  void maintenance() throws Exception {
    var maintenance = client.getMaintenanceClient();
    get(client.getKVClient().put(key("a"), bytes("1")));
    assertThat(get(maintenance.listAlarms()).getAlarms()).isEmpty();
    for (String endpoint : Clients.endpoints()) {
      get(maintenance.defragmentMember(endpoint));
    }
    ByteArrayOutputStream snapshot = new ByteArrayOutputStream();
    assertThat(get(maintenance.snapshot(snapshot))).isEqualTo(snapshot.size()).isGreaterThan(BBOLT_PAGE);
  }

  @Test
  void theLeaderMoves() throws Exception {
    long from = 0;
    String leading = null;
    for (String endpoint : Clients.endpoints()) {
      StatusResponse status = get(client.getMaintenanceClient().statusMember(endpoint));
      from = status.getLeader();
      if (status.getHeader().getMemberId() == from) {
        leading = endpoint;
      }
    }
    long leader = from;
    long to = get(client.getClusterClient().listMember()).getMembers().stream().map(Member::getId).filter(id -> id != leader).findFirst().orElseThrow();
    try (Client atLeader = Clients.at(leading)) {
      get(atLeader.getMaintenanceClient().moveLeader(to));
    }
    assertThat(get(client.getMaintenanceClient().statusMember(leading)).getLeader()).isEqualTo(to);
  }
}
