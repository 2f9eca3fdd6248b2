package io.kvorum.server.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.server.cluster.MemberIds;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SourcesTest {
  private static DescribeResponse member(String name, long id, long applied, boolean learner) {
    return DescribeResponse.newBuilder().setName(name).setHeader(ResponseHeader.newBuilder().setMemberId(id)).setLeader(1).setAppliedIndex(applied).setIsLearner(learner).build();
  }

  @Test
  void the_follower_that_lags_least_comes_first_then_the_leader_then_learners() {
    assertThat(
            Stream.of(member("leader", 1, 100, false), member("learner", 4, 100, true), member("behind", 2, 90, false), member("near", 3, 99, false))
                .sorted(Sources.bestFirst(100, ""))
                .map(DescribeResponse::getName))
        .containsExactly("near", "behind", "leader", "learner");
  }

  @Test
  void the_follower_that_was_read_before_comes_first_unless_it_lags() {
    DescribeResponse near = member("near", 2, 99_000, false);
    DescribeResponse before = member("before", 3, 98_500, false);
    assertThat(Stream.of(near, before).sorted(Sources.bestFirst(99_500, MemberIds.hex(3)))).containsExactly(before, near);
    assertThat(Stream.of(near, before).sorted(Sources.bestFirst(99_501, MemberIds.hex(3)))).containsExactly(near, before);
    assertThat(Stream.of(near, before).sorted(Sources.bestFirst(99_500, MemberIds.hex(1)))).as("now the leader").containsExactly(near, before);
  }
}
