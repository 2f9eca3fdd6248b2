package io.kvorum.server.cluster;

import static io.kvorum.server.base.EtcdError.LEARNER_NOT_READY;
import static io.kvorum.server.base.EtcdError.MEMBER_NOT_FOUND;
import static io.kvorum.server.base.EtcdError.NOT_ENOUGH_STARTED_MEMBERS;
import static io.kvorum.server.base.EtcdError.NOT_LEADER;
import static io.kvorum.server.base.EtcdError.UNHEALTHY_CLUSTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.raft.node.RaftStatus.FollowerProgress;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A cluster is written as letters, this member first: u = connected long ago, y = connected for less than 5 s, d = down; upper case = not started; l = a learner.
 */
class ReconfigRulesTest {
  private static final long OLD = 5_001;

  private final Map<Long, Long> connected = new HashMap<>();

  private ClusterView view(String letters) {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < letters.length(); i++) {
      char c = letters.charAt(i);
      long id = i + 1L;
      members.add(new Member(id, Character.isUpperCase(c) ? "" : "m" + id, List.of("http://m" + id + ":1"), List.of(), c == 'l', 0));
      connected.put(id, switch (Character.toLowerCase(c)) {
        case 'u', 'l' -> OLD;
        case 'y' -> 5_000L;
        default -> -1L;
      });
    }
    return new Genesis(1, 1, members, members).initialView();
  }

  private ReconfigRules rules(boolean strict) {
    return new ReconfigRules(strict, 1, id -> id == 1 ? -1 : connected.getOrDefault(id, -1L));
  }

  @ParameterizedTest(name = "add to {0}, learner {1}: {2}")
  @CsvSource(nullValues = "-", value = {
    "u,    false, -",
    "u,    true,  -",
    "ul,   false, -",
    "uu,   false, -",
    "uy,   false, UNHEALTHY_CLUSTER",
    "ud,   false, UNHEALTHY_CLUSTER",
    "ud,   true,  UNHEALTHY_CLUSTER",
    "uD,   false, NOT_ENOUGH_STARTED_MEMBERS",
    "uD,   true,  UNHEALTHY_CLUSTER",
    "uuu,  false, -",
    "uuu,  true,  -",
    "uud,  false, UNHEALTHY_CLUSTER",
    "uuD,  false, NOT_ENOUGH_STARTED_MEMBERS",
    "uuuu, false, -",
    "uuud, false, -",
    "uudd, false, UNHEALTHY_CLUSTER",
    "uuuD, false, -",
    "uuuud, false, -",
    "uuudd, false, UNHEALTHY_CLUSTER"
  })
  void add(String cluster, boolean learner, EtcdError expected) {
    assertThat(rules(true).mayAdd(view(cluster), learner)).isEqualTo(expected);
    assertThat(rules(false).mayAdd(view(cluster), learner)).isNull();
  }

  @ParameterizedTest(name = "remove {1} from {0}: {2}")
  @CsvSource(nullValues = "-", value = {
    "u,    1, NOT_ENOUGH_STARTED_MEMBERS",
    "ul,   1, NOT_ENOUGH_STARTED_MEMBERS",
    "ul,   2, -",
    "uu,   2, -",
    "uu,   1, -",
    "ud,   2, -",
    "ud,   1, UNHEALTHY_CLUSTER",
    "uD,   2, -",
    "Du,   2, NOT_ENOUGH_STARTED_MEMBERS",
    "uuu,  3, -",
    "uud,  3, -",
    "uud,  2, UNHEALTHY_CLUSTER",
    "uuy,  2, UNHEALTHY_CLUSTER",
    "uuD,  2, NOT_ENOUGH_STARTED_MEMBERS",
    "uuu,  9, -",
    "uuuu, 4, -",
    "uuud, 3, -", // three active, two would be left of three: a quorum
    "uuuud, 2, -",
    "uuudd, 2, UNHEALTHY_CLUSTER",
    "uuudd, 4, -"
  })
  void remove(String cluster, long id, EtcdError expected) {
    assertThat(rules(true).mayRemove(view(cluster), id)).isEqualTo(expected);
    assertThat(rules(false).mayRemove(view(cluster), id)).isNull();
  }

  @ParameterizedTest(name = "promote {1} in {0} at match {2} of 100: {3}")
  @CsvSource(nullValues = "-", value = {
    "uul,  3, 100, -",
    "uul,  3, 90,  -",
    "uul,  3, 89,  LEARNER_NOT_READY",
    "uul,  9, 100, MEMBER_NOT_FOUND",
    "uDl,  3, 100, -",
    "uDDl, 4, 100, NOT_ENOUGH_STARTED_MEMBERS",
    "uul,  2, 100, -",
    "uul,  1, 0,   -"
  })
  void promote(String cluster, long id, long match, EtcdError expected) {
    ClusterView view = view(cluster);
    Map<Long, FollowerProgress> followers = new HashMap<>();
    view.members().keySet().stream().filter(m -> m != 1).forEach(m -> followers.put(m, new FollowerProgress(match, true, false)));

    assertThat(rules(true).mayPromote(view, id, status(view, Role.LEADER, followers))).isEqualTo(expected);

    assertThat(rules(true).mayPromote(view, id, status(view, Role.FOLLOWER, Map.of()))).isEqualTo(NOT_LEADER);
    boolean strictOnly = expected == NOT_ENOUGH_STARTED_MEMBERS;
    assertThat(rules(false).mayPromote(view, id, status(view, Role.LEADER, followers))).isEqualTo(strictOnly ? null : expected);
    assertThat(expected).isIn(null, LEARNER_NOT_READY, MEMBER_NOT_FOUND, NOT_ENOUGH_STARTED_MEMBERS, UNHEALTHY_CLUSTER);
  }

  private static RaftStatus status(ClusterView view, Role role, Map<Long, FollowerProgress> followers) {
    return new RaftStatus(1, role, 2, 1, 100, 100, 100, view.membership(), 0, followers);
  }
}
