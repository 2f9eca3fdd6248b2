package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.bytes;
import static io.kvorum.server.apply.Requests.compaction;
import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.range;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RangeStreamResponse;
import io.kvorum.raft.Role;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RangeStreamTest {
  private final ModelStore store = new ModelStore();
  private KvServer server;

  @BeforeEach
  void start() throws IOException {
    server = new KvServer(store);
  }

  @AfterEach
  void stop() {
    server.close();
    assertThat(store.leakedViews()).as("every view was closed").isZero();
  }

  private List<RangeResponse> pieces(RangeRequest request) {
    List<RangeResponse> pieces = new ArrayList<>();
    server.kv().rangeStream(request).forEachRemaining(piece -> pieces.add(piece.getRangeResponse()));
    return pieces;
  }

  private static RangeResponse merged(List<RangeResponse> pieces) {
    RangeResponse.Builder all = RangeResponse.newBuilder();
    pieces.forEach(all::mergeFrom);
    return all.build();
  }

  private void fill(int keys, int valueBytes) {
    for (int i = 0; i < keys; i++) {
      server.log.call(log(put("k%05d".formatted(i), "").setValue(ByteString.copyFrom(new byte[valueBytes]))));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void mergedPiecesAreTheRangesAnswer(long seed) {
    RandomRequests random = new RandomRequests(seed);
    for (int i = 0; i < 150; i++) {
      try {
        server.log.call(random.next(store.revision()));
      } catch (StatusRuntimeException refused) {
        // Nothing changed.
      }
      RangeRequest request = random.range(store.revision()).build();
      Object range = outcome(() -> server.kv().range(request));
      Object stream = outcome(() -> merged(pieces(request)));
      assertThat(stream).as(() -> request.toString()).isEqualTo(range);
    }
  }

  private static Object outcome(Supplier<Object> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException refused) {
      return refused.getStatus().getCode() + " " + refused.getStatus().getDescription();
    }
  }

  @Test
  void manyKeysComeInPagesWithTheFactsInTheLastPieceAlone() {
    fill(2_500, 1);
    List<RangeResponse> pieces = pieces(range("k", "l").build());
    assertThat(pieces).extracting(RangeResponse::getKvsCount).containsExactly(1_024, 1_024, 452);
    assertThat(pieces.subList(0, 2)).allSatisfy(piece -> assertThat(piece.hasHeader() || piece.getMore() || piece.getCount() != 0).isFalse());
    assertThat(merged(pieces)).isEqualTo(server.kv().range(range("k", "l").build()));
    assertThat(merged(pieces(range("k", "l").setLimit(2_048).build()))).isEqualTo(server.kv().range(range("k", "l").setLimit(2_048).build()));
    assertThat(merged(pieces(range("k", "\0").setLimit(1_500).setKeysOnly(true).build())))
        .isEqualTo(server.kv().range(range("k", "\0").setLimit(1_500).setKeysOnly(true).build()));
  }

  @Test
  void largeValuesComeInPiecesOfAboutAMebibyte() {
    fill(10, 400_000);
    List<RangeResponse> pieces = pieces(range("k", "l").build());
    assertThat(pieces).extracting(RangeResponse::getKvsCount).containsExactly(2, 2, 2, 2, 2);
    assertThat(merged(pieces)).isEqualTo(server.kv().range(range("k", "l").build()));
  }

  @Test
  void aSlowCallerReadsOneRevisionAndPinsNothing() throws Exception {
    fill(10, 400_000);
    Slow slow = new Slow();
    KVGrpc.newStub(server.channel).rangeStream(range("k", "l").build(), slow);
    RangeResponse first = slow.next().getRangeResponse();
    long revision = store.revision();
    server.log.call(log(put("k00009", "changed later")));
    assertThat(store.leakedViews()).isZero();
    List<RangeResponse> pieces = new ArrayList<>(List.of(first));
    while (pieces.stream().mapToInt(RangeResponse::getKvsCount).sum() < 10) {
      pieces.add(slow.next().getRangeResponse());
    }
    assertThat(merged(pieces).getKvs(9).getValue().size()).isEqualTo(400_000);
    assertThat(merged(pieces).getHeader().getRevision()).isEqualTo(revision);
  }

  @Test
  void aSlowCallerWhoseRevisionIsCompactedIsTold() throws Exception {
    fill(100, 400_000);
    Slow slow = new Slow();
    KVGrpc.newStub(server.channel).rangeStream(range("k", "l").build(), slow);
    slow.next();
    server.log.call(log(put("z", "1")));
    server.log.call(compaction(store.revision()));
    Throwable end = slow.end();
    assertThat(end).isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getDescription()).isEqualTo(EtcdError.COMPACTED.text()));
  }

  @Test
  void refusalsAreThoseOfRange() {
    assertThatThrownBy(() -> pieces(range("").build())).hasMessageContaining("key is not provided");
    assertThatThrownBy(() -> pieces(range("a").setRevision(9).build())).hasMessageContaining("future revision");
    server.status = KvServer.status(Role.FOLLOWER, 6, List.of(6L), List.of(KvServer.MEMBER));
    assertThatThrownBy(() -> pieces(range("a").setSerializable(true).build())).hasMessageContaining("not supported for learner");
  }

  /** Takes one message at a time, when asked. */
  private static final class Slow implements ClientResponseObserver<RangeRequest, RangeStreamResponse> {
    private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
    private ClientCallStreamObserver<RangeRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<RangeRequest> started) {
      call = started;
      started.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(RangeStreamResponse response) {
      heard.add(response);
    }

    @Override
    public void onError(Throwable reason) {
      heard.add(reason);
    }

    @Override
    public void onCompleted() {
      heard.add(bytes("completed"));
    }

    RangeStreamResponse next() throws InterruptedException {
      Object taken = heard.poll(20, TimeUnit.SECONDS);
      call.request(1);
      return (RangeStreamResponse) taken;
    }

    Throwable end() throws InterruptedException {
      Object taken;
      do {
        taken = heard.poll(20, TimeUnit.SECONDS);
        call.request(1);
      } while (taken instanceof RangeStreamResponse);
      return (Throwable) taken;
    }
  }
}
