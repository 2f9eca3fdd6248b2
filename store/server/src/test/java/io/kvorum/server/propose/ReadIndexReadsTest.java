package io.kvorum.server.propose;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.raft.node.ReadCallback;
import io.kvorum.server.base.Completion;
import io.kvorum.server.logging.LogCapture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class ReadIndexReadsTest {
  private final FakeNode node = new FakeNode();
  private final List<String> told = new ArrayList<>();

  private void read(Supplier<RuntimeException> thenThrows) {
    new ReadIndexReads(node)
        .await(
            new Completion<>() {
              @Override
              public void done(Void nothing) {
                told.add("done");
                end();
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                told.add(reason.getStatus().getCode() + " " + reason.getStatus().getDescription());
                end();
              }

              private void end() {
                if (thenThrows != null) {
                  throw thenThrows.get();
                }
              }
            });
  }

  @Test
  void a_member_that_stops_says_so() {
    read(null);
    node.reads.getFirst().failed(ReadCallback.Failure.STOPPED);
    assertThat(told).containsExactly("UNAVAILABLE etcdserver: server stopped");
  }

  @Test
  void nothing_is_said_of_what_comes_after_the_end() throws Exception {
    try (LogCapture log = new LogCapture(ReadIndexReads.class)) {
      read(() -> new RejectedExecutionException("event executor terminated"));
      read(StoreClosedException::new);
      read(() -> new IllegalStateException("a mistake"));
      node.reads.get(0).failed(ReadCallback.Failure.STOPPED);
      node.reads.get(1).ready();
      node.reads.get(2).ready();
      assertThat(told).hasSize(3);
      // Whether details are logged depends on who ran before.
      assertThat(log.await(1).stream().filter(line -> !line.startsWith("DEBUG"))).singleElement().asString().startsWith("WARN").endsWith(" a read did not take its outcome");
    }
  }
}
