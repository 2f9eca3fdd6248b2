package io.kvorum.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.protocol.internal.Attributes;
import io.kvorum.protocol.internal.ClusterMemberAttrSetRequest;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.DowngradeInfoSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.MembershipChange.Kind;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MembersTest {
  /** Larger than any signed positive id, to show unsigned order. */
  private static final long HIGH = 0xf000000000000000L;

  private final Members members = new Members(genesis());

  /** Voters 1 and 2, learner 3, removed 4. */
  private static Genesis genesis() {
    List<Member> founders =
        List.of(new Member(1, "one", List.of("http://a:1"), List.of(), false, 0), new Member(2, "two", List.of("http://b:1"), List.of(), false, 0));
    return new Genesis(0xc1, 1, founders, founders);
  }

  static MembershipChange change(Kind kind, long id, String... urls) {
    return new MembershipChange(kind, id, MemberContext.newBuilder().setId(id).addAllPeerUrls(List.of(urls)).setMaxLearners(1).build().toByteArray());
  }

  private void prepare() {
    assertThat(members.apply(change(Kind.ADD_LEARNER, 3, "http://c:1"))).isNull();
    assertThat(members.apply(change(Kind.ADD_VOTER, 4, "http://d:1"))).isNull();
    assertThat(members.apply(change(Kind.REMOVE, 4))).isNull();
  }

  static Stream<Arguments> decisions() {
    return Stream.of(
        Arguments.of("a new voter", change(Kind.ADD_VOTER, 5, "http://e:1"), null, Set.of(1L, 2L, 5L), Set.of(3L)),
        Arguments.of("a URL in use", change(Kind.ADD_VOTER, 5, "http://x:1", "http://b:1"), EtcdError.PEER_URLS_ALREADY_EXISTS, null, null),
        Arguments.of("a learner's URL in use", change(Kind.ADD_VOTER, 5, "http://c:1"), EtcdError.PEER_URLS_ALREADY_EXISTS, null, null),
        Arguments.of("a removed member's URL is free", change(Kind.ADD_VOTER, 5, "http://d:1"), null, Set.of(1L, 2L, 5L), Set.of(3L)),
        Arguments.of("an id that exists", change(Kind.ADD_VOTER, 2, "http://e:1"), EtcdError.MEMBER_ID_ALREADY_EXIST, null, null),
        Arguments.of("a learner's id exists too", change(Kind.ADD_LEARNER, 3, "http://e:1"), EtcdError.MEMBER_ID_ALREADY_EXIST, null, null),
        Arguments.of("a removed id never returns", change(Kind.ADD_VOTER, 4, "http://e:1"), EtcdError.MEMBER_NOT_FOUND, null, null),
        Arguments.of("one learner too many", change(Kind.ADD_LEARNER, 5, "http://e:1"), EtcdError.TOO_MANY_LEARNERS, null, null),
        Arguments.of("promote the learner", change(Kind.PROMOTE, 3), null, Set.of(1L, 2L, 3L), Set.of()),
        Arguments.of("promote a voter", change(Kind.PROMOTE, 2), EtcdError.NOT_A_LEARNER, null, null),
        Arguments.of("promote an unknown one", change(Kind.PROMOTE, 9), EtcdError.MEMBER_NOT_FOUND, null, null),
        Arguments.of("promote a removed one", change(Kind.PROMOTE, 4), EtcdError.MEMBER_NOT_FOUND, null, null),
        Arguments.of("remove a voter", change(Kind.REMOVE, 2), null, Set.of(1L), Set.of(3L)),
        Arguments.of("remove the learner", change(Kind.REMOVE, 3), null, Set.of(1L, 2L), Set.of()),
        Arguments.of("remove an unknown one", change(Kind.REMOVE, 9), EtcdError.MEMBER_NOT_FOUND, null, null),
        Arguments.of("remove a removed one", change(Kind.REMOVE, 4), EtcdError.MEMBER_NOT_FOUND, null, null),
        Arguments.of("update URLs", change(Kind.UPDATE, 2, "http://z:1"), null, Set.of(1L, 2L), Set.of(3L)),
        Arguments.of("update to the same URLs", change(Kind.UPDATE, 2, "http://b:1"), null, Set.of(1L, 2L), Set.of(3L)),
        Arguments.of("update to another's URL", change(Kind.UPDATE, 2, "http://a:1"), EtcdError.PEER_URLS_ALREADY_EXISTS, null, null),
        Arguments.of("update an unknown one", change(Kind.UPDATE, 9, "http://z:1"), EtcdError.MEMBER_NOT_FOUND, null, null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("decisions")
  void decides(String what, MembershipChange change, EtcdError refusal, Set<Long> voters, Set<Long> learners) {
    prepare();
    ClusterView before = members.view();

    assertThat(members.apply(change)).isEqualTo(refusal);

    if (refusal != null) {
      assertThat(members.view()).isSameAs(before);
    } else {
      assertThat(members.view().membership()).isEqualTo(new Membership(new TreeSet<>(voters), new TreeSet<>(learners)));
    }
  }

  @Test
  void theLastVoterStays() {
    assertThat(members.apply(change(Kind.REMOVE, 2))).isNull();

    assertThat(members.apply(change(Kind.REMOVE, 1))).isEqualTo(EtcdError.NOT_ENOUGH_STARTED_MEMBERS);
    assertThat(members.view().member(1)).isNotNull();
  }

  @Test
  void acceptedChangesAgreeWithConsensus() {
    Membership membership = members.view().membership();
    for (MembershipChange change :
        List.of(change(Kind.ADD_LEARNER, HIGH, "http://h:1"), change(Kind.PROMOTE, HIGH), change(Kind.UPDATE, 1, "http://q:1"), change(Kind.REMOVE, 2))) {
      assertThat(members.apply(change)).isNull();
      membership = membership.with(change);
      assertThat(members.view().membership()).isEqualTo(membership);
    }
  }

  @Test
  void attributesAreSetAndUnknownMembersIgnored() {
    members.apply(change(Kind.ADD_VOTER, HIGH, "http://h:1"));
    assertThat(members.view().member(HIGH).isStarted()).isFalse();

    members.setAttributes(attributes(HIGH, "high"));
    members.setAttributes(attributes(99, "nobody"));

    Member high = members.view().member(HIGH);
    assertThat(high).isEqualTo(new Member(HIGH, "high", List.of("http://h:1"), List.of("http://client:1"), false, 1));
    assertThat(members.view().toProto()).extracting(m -> m.getName()).containsExactly("one", "two", "high");
  }

  private static ClusterMemberAttrSetRequest attributes(long id, String name) {
    return ClusterMemberAttrSetRequest.newBuilder()
        .setMemberId(id)
        .setFeatureLevel(1)
        .setMemberAttributes(Attributes.newBuilder().setName(name).addClientUrls("http://client:1"))
        .build();
  }

  @Test
  void theStateSurvivesACheckpoint() {
    prepare();
    members.setAttributes(attributes(2, "renamed"));
    members.setClusterVersion(ClusterVersionSetRequest.newBuilder().setVer("3.6.0").build());
    members.setFeatureLevel(FeatureLevelSetRequest.newBuilder().setLevel(1).build());
    members.setDowngrade(DowngradeInfoSetRequest.newBuilder().setEnabled(true).setVer("3.5.0").build());
    MachineState.Builder saved = MachineState.newBuilder();
    members.save(saved);

    Members other = new Members(new Genesis(7, 7, List.of(), List.of()));
    other.restore(saved.build());

    assertThat(other.view()).isEqualTo(members.view());
    assertThat(other.apply(change(Kind.ADD_VOTER, 4, "http://n:1"))).as("removed ids are kept").isEqualTo(EtcdError.MEMBER_NOT_FOUND);
  }

  @Test
  void anEmptyCheckpointMeansTheFounders() {
    prepare();

    members.restore(MachineState.getDefaultInstance());

    assertThat(members.view()).isEqualTo(genesis().initialView());
    assertThat(members.view().clusterVersion()).isEmpty();
  }

  @Test
  void aFeatureLevelThatIsNotUnderstoodStopsTheMember() {
    FeatureLevelSetRequest request = FeatureLevelSetRequest.newBuilder().setLevel(FeatureLevel.SUPPORTED + 1).build();

    assertThatThrownBy(() -> members.setFeatureLevel(request)).isInstanceOf(IllegalStateException.class).hasMessageContaining("feature level");
  }

  @Test
  void listenersSeeThePresentAndEachChange() {
    List<Integer> sizes = new ArrayList<>();
    members.listen(view -> sizes.add(view.members().size()));

    members.apply(change(Kind.ADD_VOTER, 5, "http://e:1"));
    members.apply(change(Kind.ADD_VOTER, 5, "http://e:1"));
    members.apply(change(Kind.REMOVE, 5));

    assertThat(sizes).containsExactly(2, 3, 2);
  }

  @Test
  void knowsWhetherItIsALearnerItself() {
    Members joined = new Members(new Genesis(0xc1, 3, genesis().founders(), genesis().founders()));
    assertThat(joined.isLocalLearner()).isFalse();

    joined.apply(change(Kind.ADD_LEARNER, 3, "http://c:1"));
    assertThat(joined.isLocalLearner()).isTrue();

    joined.apply(change(Kind.PROMOTE, 3));
    assertThat(joined.isLocalLearner()).isFalse();
  }
}
