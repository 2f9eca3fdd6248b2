package io.kvorum.server.maintenance;

import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whose content is wrong, by the hashes of one revision. Only hashes over the same rows can be compared: those of members that have compacted equally far. Pure.
 *
 * @param complete every member's hash could be compared
 * @param corrupt members to raise the alarm against, ascending as unsigned numbers; 0 when contents differ and no majority agrees, so that all are in doubt
 */
record HashComparison(boolean complete, List<Long> corrupt) {
  /** In place of a member: contents differ, and whose is right cannot be known. */
  static final long ALL = 0;

  /**
   * What another member answered.
   *
   * @param response null when there was no usable answer
   * @param failure why, else null
   */
  record Answer(long member, HashKVResponse response, String failure) {
    boolean isComparableTo(HashKVResponse other) {
      return response != null && response.getCompactRevision() == other.getCompactRevision();
    }
  }

  /**
   * Compares.
   *
   * @param self the member that asked
   * @param own its hash
   * @param answers of all others
   */
  static HashComparison of(long self, HashKVResponse own, List<Answer> answers) {
    Map<Integer, List<Long>> byHash = new TreeMap<>();
    byHash.computeIfAbsent(own.getHash(), hash -> new ArrayList<>()).add(self);
    boolean complete = true;
    for (Answer answer : answers) {
      if (answer.isComparableTo(own)) {
        byHash.computeIfAbsent(answer.response.getHash(), hash -> new ArrayList<>()).add(answer.member);
      } else {
        complete = false;
      }
    }
    if (byHash.size() == 1) {
      return new HashComparison(complete, List.of());
    }
    int majority = (answers.size() + 1) / 2 + 1;
    if (byHash.values().stream().noneMatch(members -> members.size() >= majority)) {
      return new HashComparison(complete, List.of(ALL));
    }
    List<Long> odd = byHash.values().stream().filter(members -> members.size() < majority).flatMap(List::stream).sorted(Long::compareUnsigned).toList();
    return new HashComparison(complete, odd);
  }
}
