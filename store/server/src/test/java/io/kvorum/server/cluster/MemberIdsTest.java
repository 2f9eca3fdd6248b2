package io.kvorum.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The expected ids of the first test are etcd's own for its defaults; the others were computed with an independent SHA-1. */
class MemberIdsTest {
  @Test
  void etcdsDefaultMemberAndCluster() {
    long member = MemberIds.founder(List.of("http://localhost:2380"), "etcd-cluster");

    assertThat(MemberIds.hex(member)).isEqualTo("8e9e05c52164694d");
    assertThat(MemberIds.hex(MemberIds.cluster(List.of(member)))).isEqualTo("cdf818194e3a8c32");
  }

  @Test
  void threeFoundersAscendAsUnsignedNumbers() {
    List<Long> ids =
        Stream.of("http://10.0.0.3:2380", "http://10.0.0.1:2380", "http://10.0.0.2:2380").map(u -> MemberIds.founder(List.of(u), "etcd-cluster")).toList();

    assertThat(ids.stream().map(MemberIds::hex)).containsExactlyInAnyOrder(THREE);
    assertThat(MemberIds.hex(MemberIds.cluster(ids))).isEqualTo(THREE_CLUSTER);
    assertThat(ids).as("the order matters only if some ids are negative as signed numbers").anyMatch(id -> id < 0).anyMatch(id -> id > 0);
  }

  @Test
  void addedMemberCountsTheSecondsAndNotTheOrderOfUrls() {
    long id = MemberIds.added(List.of("http://127.0.0.1:22380", "http://127.0.0.1:12380"), 1_700_000_000L);

    assertThat(MemberIds.hex(id)).isEqualTo("be37e0b0986e9f0e");
    assertThat(MemberIds.added(List.of("http://127.0.0.1:12380", "http://127.0.0.1:22380"), 1_700_000_000L)).isEqualTo(id);
    assertThat(MemberIds.added(List.of("http://127.0.0.1:12380", "http://127.0.0.1:22380"), 1_700_000_001L)).isNotEqualTo(id);
  }

  private static final String[] THREE = {"3ebc01aec68d6d70", "ee274cacce804b21", "fe9c64eaf3991d47"};
  private static final String THREE_CLUSTER = "cd11e86392339c47";
}
