package io.kvorum.server.peer;

import static io.kvorum.server.peer.TestPeer.append;
import static io.kvorum.server.peer.TestPeer.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Message;
import io.kvorum.server.peer.Outbox.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
  private final Outbox outbox = new Outbox();

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

  @Test
  void aBrokenConnectionDropsAll() {
    outbox.connected();
    outbox.add(message(1, 2, 1));
    assertThat(outbox.disconnected()).isTrue();
    assertThat(outbox.disconnected()).isFalse();
    assertThat(outbox.size()).isZero();
  }

  @Test
  void proposalsWaitForTheConnectionOfAMemberThatJustStarted() {
    Message proposal =
        new Message(
            Message.Type.PROPOSE, 1, 2, 0, 0, 0, 0, false, 0, 0, List.of(new Entry(0, 0, EntryType.NORMAL, 0, new byte[] {1})), null);
    assertThat(outbox.add(proposal)).isEqualTo(Outcome.QUEUED);
    for (int i = 0; i < 2 * Outbox.OFFLINE_MESSAGES_MAX; i++) {
      outbox.add(message(1, 2, i));
    }
    assertThat(outbox.size()).isEqualTo(Outbox.OFFLINE_MESSAGES_MAX);
    outbox.connected();
    assertThat(outbox.take(1, 1_000_000)).containsExactly(proposal);
  }
}
