package io.kvorum.server.up;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.server.up.UpOptions.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UpTest {
  @Test
  void defaultsAreThreeMembersOnTheCustomaryPorts() {
    UpOptions options = UpOptions.parse(List.of());
    assertThat(options.places()).extracting(Place::clientPort).containsExactly(2379, 22379, 32379);
    assertThat(options.places()).extracting(Place::peerPort).containsExactly(2380, 22380, 32380);
    assertThat(options.initialCluster()).isEqualTo("m1=http://127.0.0.1:2380,m2=http://127.0.0.1:22380,m3=http://127.0.0.1:32380");
  }

  @Test
  void takesOptionsInBothForms() {
    UpOptions options = UpOptions.parse(List.of("--members", "1", "--data=/x/y", "--base-port=4000"));
    assertThat(options).isEqualTo(new UpOptions(1, Path.of("/x/y"), 4000));
  }

  @Test
  void refusesWhatItCannotDo() {
    assertThatThrownBy(() -> UpOptions.parse(List.of("--members=0"))).hasMessage("--members takes a number from 1 to 5, not 0");
    assertThatThrownBy(() -> UpOptions.parse(List.of("--members", "many"))).hasMessageContaining("not many");
    assertThatThrownBy(() -> UpOptions.parse(List.of("--base-port", "60000"))).hasMessage("--base-port is at most 35534 with 3 members");
    assertThatThrownBy(() -> UpOptions.parse(List.of("--data"))).hasMessage("--data needs a value");
    assertThatThrownBy(() -> UpOptions.parse(List.of("--size=3"))).hasMessage("unknown option --size=3");
  }

  @Test
  void showsOneRowAMember() {
    Map<Place, StatusResponse> members = new LinkedHashMap<>();
    List<Place> places = UpOptions.parse(List.of()).places();
    members.put(places.get(0), status(-2, -2, false));
    members.put(places.get(1), status(7, -2, false));
    members.put(places.get(2), status(8, -2, true));
    assertThat(MemberTable.render(members))
        .isEqualTo(
            """

            NAME  ID                ROLE      TERM  REVISION  ENDPOINT
            m1    fffffffffffffffe  leader    2     1         http://127.0.0.1:2379
            m2    7                 follower  2     1         http://127.0.0.1:22379
            m3    8                 learner   2     1         http://127.0.0.1:32379
            """);
  }

  private static StatusResponse status(long id, long leader, boolean learner) {
    return StatusResponse.newBuilder()
        .setHeader(ResponseHeader.newBuilder().setMemberId(id).setRevision(1))
        .setLeader(leader)
        .setRaftTerm(2)
        .setIsLearner(learner)
        .build();
  }
}
