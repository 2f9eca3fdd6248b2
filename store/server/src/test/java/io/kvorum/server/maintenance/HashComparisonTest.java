package io.kvorum.server.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.server.maintenance.HashComparison.Answer;
import java.util.List;
import org.junit.jupiter.api.Test;

class HashComparisonTest {
  private static final long SELF = 1;

  private static HashKVResponse hash(int hash, long compacted) {
    return HashKVResponse.newBuilder().setHash(hash).setCompactRevision(compacted).build();
  }

  private static Answer answer(long member, int hash) {
    return new Answer(member, hash(hash, 5), null);
  }

  private static Answer none(long member) {
    return new Answer(member, null, "no answer");
  }

  private static HashComparison compare(Answer... answers) {
    return HashComparison.of(SELF, hash(7, 5), List.of(answers));
  }

  @Test
  void equal_hashes_of_all_are_all_there_is_to_know() {
    assertThat(compare(answer(2, 7), answer(3, 7))).isEqualTo(new HashComparison(true, List.of()));
    assertThat(compare()).isEqualTo(new HashComparison(true, List.of()));
  }

  @Test
  void who_did_not_answer_or_compacted_differently_far_is_not_compared() {
    assertThat(compare(answer(2, 7), none(3))).isEqualTo(new HashComparison(false, List.of()));
    assertThat(compare(answer(2, 7), new Answer(3, hash(8, 4), null))).isEqualTo(new HashComparison(false, List.of()));
  }

  @Test
  void who_differs_from_the_majority_is_corrupt_be_it_the_one_that_asks() {
    assertThat(compare(answer(2, 7), answer(3, 8)).corrupt()).containsExactly(3L);
    assertThat(compare(answer(2, 8), answer(3, 8)).corrupt()).containsExactly(SELF);
    assertThat(compare(answer(-2, 9), answer(3, 7), answer(4, 8), answer(5, 7)).corrupt()).containsExactly(4L, -2L);
    assertThat(compare(answer(2, 8), answer(3, 7), none(4)).corrupt()).containsExactly(HashComparison.ALL);
  }

  @Test
  void without_a_majority_all_are_in_doubt() {
    assertThat(compare(answer(2, 8)).corrupt()).containsExactly(HashComparison.ALL);
    assertThat(compare(answer(2, 8), none(3)).corrupt()).containsExactly(HashComparison.ALL);
    assertThat(compare(answer(2, 8), answer(3, 9)).corrupt()).containsExactly(HashComparison.ALL);
    assertThat(compare(answer(2, 8), answer(3, 8), answer(4, 7)).corrupt()).containsExactly(HashComparison.ALL);
  }
}
