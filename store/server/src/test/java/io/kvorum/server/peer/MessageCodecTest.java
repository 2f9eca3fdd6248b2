package io.kvorum.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.internal.LogEntry;
import io.kvorum.protocol.internal.RaftMessage;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
  @Test
  void whatIsEncodedIsDecoded() throws Exception {
    Random random = new Random(7);
    for (int round = 0; round < 100; round++) {
      Message message = message(random);

      Message decoded = MessageCodec.decode(RaftMessage.parseFrom(MessageCodec.encode(message).toByteArray()));

      assertThat(decoded).usingRecursiveComparison().isEqualTo(message);
    }
  }

  private static Message message(Random random) {
    List<Entry> entries = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      byte[] data = new byte[random.nextInt(3) * random.nextInt(2_000)];
      random.nextBytes(data);
      entries.add(new Entry(random.nextLong(), random.nextLong(), EntryType.values()[random.nextInt(2)], random.nextLong(), data));
    }
    SnapshotMeta snapshot =
        random.nextInt(4) > 0
            ? null
            : new SnapshotMeta(
                random.nextLong(), random.nextLong(), new Membership(new TreeSet<>(Set.of(1L, -5L)), new TreeSet<>(Set.of(random.nextLong(2, 99)))));
    Message.Type type = Message.Type.values()[random.nextInt(Message.Type.values().length)];
    return new Message(
        type, random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong(), random.nextBoolean(),
        random.nextLong(), random.nextLong(), entries, snapshot);
  }

  @Test
  void entriesMayComeInPieces() {
    ByteString pieces = ByteString.copyFrom(new byte[200]).concat(ByteString.copyFrom(new byte[] {1, 2, 3})).concat(ByteString.copyFrom(new byte[300]));
    RaftMessage message = RaftMessage.newBuilder().addEntries(LogEntry.newBuilder().setData(pieces)).build();

    assertThat(MessageCodec.decode(message).entries().getFirst().data()).isEqualTo(pieces.toByteArray());
  }

  @Test
  void unknownTypesAreRefused() {
    RaftMessage message = RaftMessage.newBuilder().setType(Message.Type.values().length).build();
    RaftMessage entry = RaftMessage.newBuilder().addEntries(LogEntry.newBuilder().setType(2)).build();

    assertThatThrownBy(() -> MessageCodec.decode(message)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("message type");
    assertThatThrownBy(() -> MessageCodec.decode(entry)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("entry type");
  }
}
