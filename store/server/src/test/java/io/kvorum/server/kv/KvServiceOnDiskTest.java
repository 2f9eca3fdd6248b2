package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.range;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.logging.LogCapture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same service on the real store. */
class KvServiceOnDiskTest extends KvServiceTest {
  @TempDir Path directory;

  @Override
  MvccStore openStore() throws IOException {
    return MvccStore.open(directory, new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
  }

  @Test
  void readsThatOutliveTheStoreAreToldThatTheServerStopped() throws Exception {
    MvccStore closed = MvccStore.open(directory.resolve("closed"), new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
    try (KvServer member = new KvServer(closed); LogCapture log = new LogCapture(Reply.class)) {
      closed.close();
      RangeRequest range = range("a").setRangeEnd(range("b").getKey()).build();
      TxnRequest txn = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestRange(range)).build();
      for (Runnable call :
          List.<Runnable>of(
              () -> member.kv().range(range), () -> member.kv().range(range("a").build()), () -> member.kv().range(range("a").setSerializable(true).build()),
              () -> member.kv().txn(txn), () -> member.kv().rangeStream(range).next())) {
        Status status = catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus();
        assertThat(status.getDescription()).isEqualTo("etcdserver: server stopped");
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      }
      assertThat(log.await(0)).isEmpty();
    }
  }
}
