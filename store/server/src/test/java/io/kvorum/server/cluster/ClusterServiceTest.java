package io.kvorum.server.cluster;

import static io.kvorum.server.cluster.ServiceRig.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.MemberAddRequest;
import io.kvorum.protocol.etcdserverpb.MemberAddResponse;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.protocol.etcdserverpb.MemberRemoveRequest;
import io.kvorum.protocol.etcdserverpb.MemberUpdateRequest;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus.FollowerProgress;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterServiceTest {
  private static final long SECONDS = 1_700_000_000L;
  private static final String URL = "http://127.0.0.1:22380";

  private final List<Long> forwardedTo = new ArrayList<>();
  private ServiceRig rig;
  private Completion<MemberPromoteResponse> forwarded;
  private ClusterGrpc.ClusterBlockingStub client;

  @BeforeEach
  void start() throws Exception {
    MvccStore store = (MvccStore) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {MvccStore.class}, (p, m, a) -> 42L);
    rig = new ServiceRig(store, List.of(new Member(1, "one", List.of("http://127.0.0.1:2380"), List.of("http://127.0.0.1:2379"), false, 1)));
    serve(true);
  }

  private void serve(boolean strict) throws Exception {
    ReconfigRules rules = new ReconfigRules(strict, 1, id -> -1);
    MembershipProposals changes = new MembershipProposals(rig, rig.timer, rig.kernel.limits());
    PromoteForwarder forwarder =
        (leader, request, completion) -> {
          forwardedTo.add(leader);
          if (forwardedTo.size() == 1) {
            completion.failed(EtcdError.NOT_LEADER.exception());
          } else {
            forwarded = completion;
            completion.done(MemberPromoteResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setMemberId(leader)).build());
          }
        };
    Promotion promotion = new Promotion(rig.kernel, rig.members, rules, changes, forwarder, rig.timer);
    client = ClusterGrpc.newBlockingStub(rig.serve(new ClusterService(rig.kernel, rig.members, rules, changes, promotion, () -> 1, () -> SECONDS)));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static void assertRefused(StatusRuntimeException actual, EtcdError expected) {
    assertThat(actual.getStatus().getCode()).isEqualTo(expected.status().getCode());
    assertThat(actual.getStatus().getDescription()).isEqualTo(expected.text());
  }

  private MemberAddResponse add(boolean learner, String... urls) {
    return client.memberAdd(MemberAddRequest.newBuilder().addAllPeerURLs(List.of(urls)).setIsLearner(learner).build());
  }

  @Test
  void addsAVoterWithAPredictableId() {
    MemberAddResponse answer = add(false, URL, "http://127.0.0.1:12380");

    assertThat(MemberIds.hex(answer.getMember().getID())).isEqualTo("be37e0b0986e9f0e");
    assertThat(answer.getMember().getPeerURLsList()).containsExactly("http://127.0.0.1:12380", URL);
    assertThat(answer.getMember().getName()).isEmpty();
    assertThat(answer.getMembersList()).extracting(m -> m.getName()).containsExactly("one", "");
    assertThat(answer.getHeader()).isEqualTo(ResponseHeader.newBuilder().setClusterId(ServiceRig.CLUSTER).setMemberId(1).setRaftTerm(3).build());
  }

  @Test
  void refusesAsEtcdDoes() {
    assertRefused(refusal(() -> add(false)), EtcdError.BAD_MEMBER_URLS);
    assertRefused(refusal(() -> add(false, "127.0.0.1:2380")), EtcdError.BAD_MEMBER_URLS);
    assertRefused(refusal(() -> add(false, "http://127.0.0.1:2380")), EtcdError.PEER_URLS_ALREADY_EXISTS);
    add(true, URL);
    assertRefused(refusal(() -> add(true, "http://127.0.0.1:32380")), EtcdError.TOO_MANY_LEARNERS);
    add(false, "http://127.0.0.1:42380");
    assertRefused(refusal(() -> add(false, "http://127.0.0.1:52380")), EtcdError.NOT_ENOUGH_STARTED_MEMBERS);
    assertThat(EtcdError.NOT_ENOUGH_STARTED_MEMBERS.status().getCode()).as("as it arrives from etcd").isEqualTo(Status.Code.UNKNOWN);
    assertRefused(refusal(() -> client.memberRemove(MemberRemoveRequest.newBuilder().setID(99).build())), EtcdError.NOT_ENOUGH_STARTED_MEMBERS);
  }

  @Test
  void removesAndNeverAgain() {
    long id = add(true, URL).getMember().getID();
    MemberRemoveRequest remove = MemberRemoveRequest.newBuilder().setID(id).build();

    assertThat(client.memberRemove(remove).getMembersList()).hasSize(1);

    assertRefused(refusal(() -> client.memberRemove(remove)), EtcdError.MEMBER_NOT_FOUND);
    assertRefused(refusal(() -> add(true, URL)), EtcdError.MEMBER_NOT_FOUND);
  }

  @Test
  void updatesToUrlsThatAreSome() {
    MemberUpdateRequest.Builder update = MemberUpdateRequest.newBuilder().setID(1);
    for (List<String> wrong : List.of(List.<String>of(), List.of("anything"), List.of("ftp://127.0.0.1:1"), List.of("http://127.0.0.1:1", "http://127.0.0.1"))) {
      assertRefused(refusal(() -> client.memberUpdate(update.clone().addAllPeerURLs(wrong).build())), EtcdError.BAD_MEMBER_URLS);
    }
    assertThat(client.memberUpdate(update.addPeerURLs("https://b.example:2").addPeerURLs("http://127.0.0.1:1").build()).getMembers(0).getPeerURLsList())
        .containsExactly("http://127.0.0.1:1", "https://b.example:2");
    for (List<String> urls : List.of(List.<String>of(), List.of("anything"), List.of("http://127.0.0.1:9"))) {
      assertRefused(refusal(() -> client.memberUpdate(MemberUpdateRequest.newBuilder().setID(9).addAllPeerURLs(urls).build())), EtcdError.MEMBER_NOT_FOUND);
    }
  }

  @Test
  void listsLocallyOrLinearizably() {
    MemberListResponse local = client.memberList(MemberListRequest.getDefaultInstance());
    assertThat(rig.reads).isZero();
    assertThat(local.getMembers(0).getClientURLsList()).containsExactly("http://127.0.0.1:2379");
    assertThat(local.getHeader().getRevision()).isZero();

    assertThat(client.memberList(MemberListRequest.newBuilder().setLinearizable(true).build())).isEqualTo(local);
    assertThat(rig.reads).isEqualTo(1);
    rig.readFailure = EtcdError.TIMED_OUT;
    assertRefused(refusal(() -> client.memberList(MemberListRequest.newBuilder().setLinearizable(true).build())), EtcdError.TIMED_OUT);
  }

  @Test
  void aChangeUnderWayIsWaitedFor() {
    rig.refusals.addAll(List.of(EtcdError.TOO_MANY_REQUESTS, EtcdError.TOO_MANY_REQUESTS));

    assertThat(add(true, URL).getMembersList()).hasSize(2);
  }

  @Test
  void otherRefusalsAreTold() {
    rig.refusals.add(EtcdError.TIMED_OUT_LEADER_FAILURE);

    assertRefused(refusal(() -> add(true, URL)), EtcdError.TIMED_OUT_LEADER_FAILURE);
  }

  @Test
  void theLeaderPromotesWhatHasCaughtUp() {
    long id = add(true, URL).getMember().getID();
    MemberPromoteRequest promote = MemberPromoteRequest.newBuilder().setID(id).build();
    assertRefused(refusal(() -> client.memberPromote(promote)), EtcdError.MEMBER_NOT_FOUND);
    rig.followers.put(id, new FollowerProgress(89, true, false));
    assertRefused(refusal(() -> client.memberPromote(promote)), EtcdError.LEARNER_NOT_READY);
    rig.followers.put(id, new FollowerProgress(90, true, false));

    MemberPromoteResponse answer = client.memberPromote(promote);

    assertThat(answer.getMembersList()).noneMatch(m -> m.getIsLearner());
    assertRefused(refusal(() -> client.memberPromote(promote)), EtcdError.NOT_A_LEARNER);
  }

  @Test
  void aFollowerForwardsUntilALeaderAnswers() {
    rig.role = Role.FOLLOWER;
    rig.leader = 0;
    rig.timer.schedule(() -> rig.leader = 7, 250, TimeUnit.MILLISECONDS);

    MemberPromoteResponse answer = client.memberPromote(MemberPromoteRequest.newBuilder().setID(5).build());

    assertThat(forwardedTo).as("asked again after NOT_LEADER").containsExactly(7L, 7L);
    assertThat(answer.getHeader().getMemberId()).as("the header is that of the member that was asked").isEqualTo(1);
    assertThat(forwarded).isNotNull();
  }

  @Test
  void publishingIsRepeatedUntilItWorks() throws Exception {
    rig.refusals.addAll(List.of(EtcdError.DEADLINE_EXCEEDED, EtcdError.TIMED_OUT));

    new Publisher(rig, rig.timer).publish(1, "renamed", List.of("http://c:1")).get(30, TimeUnit.SECONDS);

    assertThat(rig.proposed).hasSize(3);
    assertThat(rig.members.view().member(1).name()).isEqualTo("renamed");
    assertThat(rig.members.view().member(1).featureLevel()).isEqualTo(FeatureLevel.SUPPORTED);
  }

  @Test
  void theLeaderSetsTheClusterVersionOnce() {
    LeaderDuties duties = new LeaderDuties(rig.members, rig::status, rig, "3.6.0");
    rig.role = Role.FOLLOWER;
    duties.run();
    assertThat(rig.proposed).isEmpty();

    rig.role = Role.LEADER;
    rig.refusals.add(EtcdError.TIMED_OUT);
    duties.run();
    duties.run();
    duties.run();

    assertThat(rig.proposed).hasSize(2);
    assertThat(rig.members.view().clusterVersion()).isEqualTo("3.6.0");
    assertThat(rig.members.view().featureLevel()).isEqualTo(FeatureLevel.FIRST);
  }
}
