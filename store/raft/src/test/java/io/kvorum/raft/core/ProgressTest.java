package io.kvorum.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProgressTest {
  private static Progress replicating(int maxMessages, long maxBytes) {
    Progress p = new Progress(2, 1, maxMessages, maxBytes);
    p.matched(0, 1);
    assertThat(p.state()).isEqualTo(Progress.State.REPLICATE);
    return p;
  }

  @Test
  void aProbeWaitsForItsAnswerOrTheNextHeartbeats() {
    Progress p = new Progress(2, 5, 4, 1_000);
    assertThat(p.isPaused()).isFalse();
    p.sent(6, 2, 100);
    assertThat(p.isPaused()).isTrue();
    assertThat(p.next()).as("nothing is assumed").isEqualTo(5);
    p.heartbeatAnswered(6);
    assertThat(p.isPaused()).isFalse();
  }

  @Test
  void theWindowIsBoundedInMessagesAndBytes() {
    Progress p = replicating(3, 1_000);
    p.sent(1, 1, 10);
    p.sent(2, 1, 10);
    assertThat(p.isPaused()).isFalse();
    p.sent(3, 1, 10);
    assertThat(p.isPaused()).as("three messages").isTrue();
    p.matched(2, 1);
    assertThat(p.isPaused()).isFalse();
    p.sent(4, 1, 995);
    assertThat(p.isPaused()).as("more than 1,000 bytes").isTrue();
    p.matched(4, 1);
    assertThat(p.isPaused()).isFalse();
  }

  @Test
  void theWindowGrowsWithItsBound() {
    Progress p = replicating(100, Long.MAX_VALUE);
    for (int i = 1; i <= 99; i++) {
      p.sent(i, 1, 1);
      if (i % 10 == 0) {
        p.matched(i - 5, 1);
      }
    }
    assertThat(p.isPaused()).isFalse();
    assertThat(p.next()).isEqualTo(100);
    for (int i = 100; !p.isPaused(); i++) {
      p.sent(i, 1, 1);
    }
    assertThat(p.next() - 1 - p.match()).isEqualTo(100);
  }

  @Test
  void anOldRefusalIsIgnored() {
    Progress p = replicating(4, 1_000);
    p.matched(7, 1);
    assertThat(p.rejected(6, 3)).as("below what matches").isFalse();
    assertThat(p.rejected(9, 8)).isTrue();
    assertThat(p.state()).isEqualTo(Progress.State.PROBE);
    assertThat(p.next()).isEqualTo(9);
    assertThat(p.rejected(12, 3)).as("not what the probe asked").isFalse();
    assertThat(p.rejected(8, 2)).as("never below what matches").isTrue();
    assertThat(p.next()).isEqualTo(8);
  }

  @Test
  void aSnapshotHoldsEverythingBackUntilItEnded() {
    Progress p = new Progress(2, 5, 4, 1_000);
    p.toSnapshot(20);
    p.heartbeatAnswered(30);
    assertThat(p.isPaused()).isTrue();
    p.snapshotEnded(true);
    assertThat(p.next()).isEqualTo(21);
    assertThat(p.isPaused()).as("waits for the follower's word").isTrue();
    p.matched(20, 15);
    assertThat(p.state()).isEqualTo(Progress.State.REPLICATE);

    p.toSnapshot(40);
    p.snapshotEnded(false);
    assertThat(p.next()).isEqualTo(21);
    p.heartbeatAnswered(50);
    assertThat(p.isPaused()).isFalse();
  }

  @Test
  void aFollowerThatCaughtUpByItselfNeedsNoSnapshot() {
    Progress p = new Progress(2, 5, 4, 1_000);
    p.toSnapshot(20);
    p.matched(13, 15);
    assertThat(p.state()).as("entry 14 was cut").isEqualTo(Progress.State.SNAPSHOT);
    p.matched(14, 15);
    assertThat(p.state()).isEqualTo(Progress.State.REPLICATE);
    assertThat(p.next()).isEqualTo(15);
  }
}
