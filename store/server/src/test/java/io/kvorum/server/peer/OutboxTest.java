package io.kvorum.server.peer;

import static io.kvorum.server.peer.TestPeer.append;
import static io.kvorum.server.peer.TestPeer.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.Message;
import io.kvorum.server.peer.Outbox.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
  private long now;
  private final Outbox outbox = new Outbox(() -> now);

  @Test
  void oneDrainIsAskedForUntilItBegins() {
    outbox.connected();
    assertThat(outbox.add(message(1, 2, 1))).isEqualTo(Outcome.SCHEDULE);
    assertThat(outbox.add(message(1, 2, 2))).isEqualTo(Outcome.QUEUED);
    outbox.draining();
    assertThat(outbox.add(message(1, 2, 3))).isEqualTo(Outcome.SCHEDULE);
    assertThat(outbox.take(10, 1_000_000)).extracting(Message::index).containsExactly(1L, 2L, 3L);
  }

  @Test
  void numberIsBounded() {
    outbox.connected();
    for (int i = 0; i < Outbox.MESSAGES_MAX; i++) {
      assertThat(outbox.add(message(1, 2, i))).isNotEqualTo(Outcome.DROPPED);
    }
    assertThat(outbox.add(message(1, 2, 0))).isEqualTo(Outcome.DROPPED);
    outbox.take(1, 1);
    assertThat(outbox.add(message(1, 2, 0))).isNotEqualTo(Outcome.DROPPED);
  }

  @Test
  void bytesAreBoundedButOneLargeMessagePasses() {
    outbox.connected();
    byte[] half = new byte[(int) (Outbox.BYTES_MAX / 2)];
    assertThat(outbox.add(append(1, 2, 0, half))).isNotEqualTo(Outcome.DROPPED);
    assertThat(outbox.add(append(1, 2, 0, half))).isEqualTo(Outcome.DROPPED);
    outbox.take(1, 1);
    assertThat(outbox.add(append(1, 2, 0, new byte[(int) Outbox.BYTES_MAX + 1]))).isNotEqualTo(Outcome.DROPPED);
  }

  @Test
  void batchesHaveBoundsButAreNeverEmpty() {
    outbox.connected();
    for (int i = 0; i < 5; i++) {
      outbox.add(append(1, 2, i, new byte[1_000]));
    }
    assertThat(outbox.take(256, 1)).hasSize(1);
    assertThat(outbox.take(256, 2_500)).hasSize(2);
    assertThat(outbox.take(1, 1_000_000)).hasSize(1);
    assertThat(outbox.take(256, 1_000_000)).hasSize(1);
    assertThat(outbox.take(256, 1_000_000)).isEmpty();
  }

  @Test
  void whileDisconnectedTheNewestSmallMessagesAreKept() {
    assertThat(outbox.add(append(1, 2, 0, new byte[1]))).isEqualTo(Outcome.DROPPED);
    for (int i = 0; i < Outbox.OFFLINE_MESSAGES_MAX + 5; i++) {
      assertThat(outbox.add(message(1, 2, i))).isEqualTo(Outcome.QUEUED);
    }
    outbox.connected();
    List<Message> kept = outbox.take(1_000, 1_000_000);
    assertThat(kept).hasSize(Outbox.OFFLINE_MESSAGES_MAX);
    assertThat(kept.getFirst().index()).isEqualTo(5);
  }

  private static Message proposal(long index, int bytes) {
    Message append = append(1, 2, index, new byte[bytes]);
    return new Message(Message.Type.PROPOSE, 1, 2, 0, 0, index, 0, false, 0, 0, append.entries(), null);
  }

  @Test
  void forwardedProposalsWaitForAConnectionThatComesSoon() {
    assertThat(outbox.add(proposal(1, 100))).isEqualTo(Outcome.QUEUED);
    assertThat(outbox.add(proposal(2, (int) Outbox.OFFLINE_BYTES_MAX + 1))).isEqualTo(Outcome.DROPPED);
    now = Outbox.OFFLINE_NANOS_MAX;
    assertThat(outbox.add(proposal(3, 100))).isEqualTo(Outcome.QUEUED);
    now++;
    outbox.connected();
    assertThat(outbox.take(10, 1_000_000)).extracting(Message::index).as("the first has waited for too long").containsExactly(3L);
  }

  @Test
  void whatWaitsForAConnectionIsBoundedInBytes() {
    int third = (int) Outbox.OFFLINE_BYTES_MAX / 3;
    for (int i = 0; i < 5; i++) {
      assertThat(outbox.add(proposal(i, third - 200))).isEqualTo(Outcome.QUEUED);
    }
    outbox.connected();
    assertThat(outbox.take(10, Long.MAX_VALUE)).extracting(Message::index).containsExactly(2L, 3L, 4L);
  }

  @Test
  void proposalsThatWereNotSentCanBeTakenBack() {
    outbox.connected();
    outbox.add(proposal(1, 10));
    outbox.add(message(1, 2, 2));
    now = Outbox.OFFLINE_NANOS_MAX;
    outbox.add(proposal(3, 10));
    assertThat(outbox.disconnected()).as("something was dropped").isTrue();
    outbox.add(message(1, 2, 4));
    now++;

    assertThat(outbox.takeProposals()).extracting(Message::index).as("the first has waited for too long").containsExactly(3L);

    assertThat(outbox.takeProposals()).isEmpty();
    outbox.connected();
    assertThat(outbox.take(10, 1_000_000)).extracting(Message::index).containsExactly(4L);
  }

  @Test
  void aBrokenConnectionDropsAllElse() {
    outbox.connected();
    outbox.add(message(1, 2, 1));
    assertThat(outbox.disconnected()).isTrue();
    assertThat(outbox.disconnected()).isFalse();
    assertThat(outbox.size()).isZero();
  }
}
