package io.kvorum.server.kv;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.apply.DirectLog;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.apply.KeyReader;
import io.kvorum.server.apply.Selection;
import io.kvorum.server.base.EtcdError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random requests give the answers of {@link NaiveKv}, and every range between them too. */
class KvModelTest {
  private static final int REQUESTS = 3_000;
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint());

  @TempDir Path directory;

  @ParameterizedTest(name = "seed {0}, store in memory")
  @ValueSource(longs = {1, 2, 3, 4})
  void theMachineAnswersAsTheModelDoes(long seed) throws IOException {
    run(seed, new ModelStore());
  }

  @ParameterizedTest(name = "seed {0}, store on disk")
  @ValueSource(longs = {5, 6})
  void theMachineOnDiskAnswersAsTheModelDoes(long seed) throws IOException {
    try (MvccStore store = MvccStore.open(directory, OPTIONS)) {
      run(seed, store);
    }
  }

  private static void run(long seed, MvccStore store) throws IOException {
    RandomRequests requests = new RandomRequests(seed);
    NaiveKv model = new NaiveKv();
    DirectLog log = new DirectLog(store);
    for (int i = 0; i < REQUESTS; i++) {
      LogRequest.Builder request = requests.next(model.revision());
      int number = i;
      Supplier<String> what = () -> "seed " + seed + ", request " + number + ": " + request;
      assertThat(outcome(log, request)).as(what).isEqualTo(expected(model, request.build()));
      assertThat(store.revision()).as(what).isEqualTo(model.revision());
      RangeRequest range = requests.range(model.revision()).build();
      assertThat(read(store, range)).as(() -> "seed " + seed + ", after " + number + ": " + range).isEqualTo(expected(model, range));
    }
  }

  private static Object outcome(DirectLog log, LogRequest.Builder request) {
    try {
      return log.call(request);
    } catch (StatusRuntimeException refused) {
      return refused.getStatus();
    }
  }

  private static Object expected(NaiveKv model, LogRequest request) {
    try {
      Message answer = model.apply(request);
      return answer;
    } catch (NaiveKv.Refused refused) {
      return refused.error.status();
    }
  }

  private static Object expected(NaiveKv model, RangeRequest request) {
    try {
      return model.range(request);
    } catch (NaiveKv.Refused refused) {
      return refused.error.status();
    }
  }

  /** Both ways out of the store: as a message, and as the bytes that go over the wire. */
  private static Object read(MvccStore store, RangeRequest request) throws IOException {
    try (ReadView view = store.view()) {
      Selection selection = Selection.of(KeyReader.of(view), request);
      ResponseHeader header = ResponseHeader.newBuilder().setRevision(view.revision()).build();
      RangeReply reply = RangeReply.whole(header, selection, request.getKeysOnly(), view);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      reply.writeTo(bytes);
      assertThat(bytes.size()).isEqualTo((int) reply.size());
      RangeResponse encoded = parse(bytes.toByteArray());
      assertThat(encoded).isEqualTo(reply.toMessage());
      return encoded;
    } catch (RevisionException.Future future) {
      return status(EtcdError.FUTURE_REVISION);
    } catch (RevisionException.Compacted compacted) {
      return status(EtcdError.COMPACTED);
    }
  }

  private static Status status(EtcdError error) {
    return error.status();
  }

  private static RangeResponse parse(byte[] bytes) throws InvalidProtocolBufferException {
    return RangeResponse.parseFrom(bytes);
  }
}
